import { Bio } from "@blkstack/bio";
import { describe, expect, it } from "vitest";
import {
  API_VERSION,
  assertApiVersion,
  type BlockDevice,
  BlockError,
  defaultLimits,
  defineTarget,
  deviceOf,
  ERRNO_MESSAGES,
  MapResult,
  RequestQueue,
} from "./index.ts";

const dropping = defineTarget({
  name: "drop",
  version: [1, 0, 0],
  apiVersion: 1,
  create: () => ({ map: () => MapResult.Kill, status: () => "" }),
});

describe("a target type", () => {
  it("is what was declared, and fits this version of the contract", () => {
    expect(dropping.name).toBe("drop");
    expect(API_VERSION).toBe(1);
    expect(() => {
      assertApiVersion(dropping);
    }).not.toThrow();
  });

  it.each([0, 2, NaN])("made for version %d of the contract is refused by name", (apiVersion) => {
    const refusal = expect(() => {
      assertApiVersion({ ...dropping, apiVersion });
    });
    refusal.toThrow(expect.objectContaining({ code: "BLK_API_VERSION", errno: "EINVAL" }));
    refusal.toThrow(`"drop" speaks version ${String(apiVersion)} of the target contract`);
  });
});

describe("an error of set-up", () => {
  it("tells programs its kind and errno, and keeps its cause", () => {
    const cause = new Error("no such file");
    const error = new BlockError("BLK_DEVICE", "ENOENT", "disk base: cannot be opened", { cause });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: "BlockError", code: "BLK_DEVICE", errno: "ENOENT", cause });
    expect(ERRNO_MESSAGES[error.errno]).toBe("No such file or directory");
  });
});

describe("a bio", () => {
  it("is addressed to a block device", () => {
    const device: BlockDevice = {
      name: "sda",
      sizeSectors: 8,
      isReadOnly: false,
      queue: new RequestQueue("sda", defaultLimits()),
      submitBio: () => undefined,
    };
    const bio = new Bio();
    bio.device = device;
    expect(deviceOf(bio)).toBe(device);
  });
});
