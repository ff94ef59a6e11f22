import type { Page } from "@blkstack/bio";
import type { SgList } from "@blkstack/blk-map";
import { describe, expect, it } from "vitest";
import { TOP_FRAME } from "../test/bounced.ts";
import { cdb10 } from "../test/cdbs.ts";
import {
  bytesOf,
  entry,
  NOTHING_MISSING,
  page,
  Setting,
  type SettingOptions,
} from "../test/setting.ts";
import { Opcode } from "./index.ts";

const LIMITS = { dmaAlignmentMask: 511 };

/** Writes 8 sectors from memory with one command; answers the bios that the disk got. */
async function write(
  dataOut: SgList,
  options: SettingOptions = {},
): Promise<{ setting: Setting; pagesSent: Page[] }> {
  const setting = new Setting({ limits: LIMITS, ...options });
  const answer = await setting.execute({ cdb: cdb10(Opcode.Write10, { blocks: 8 }), dataOut });
  expect(answer).toMatchObject({ status: 0, movedBytes: 4096 });
  expect(setting.peek(0, 8)).toEqual(bytesOf(dataOut));
  expect(setting.missing).toEqual(NOTHING_MISSING);
  return { setting, pagesSent: setting.sent.flatMap(({ pages }) => pages) };
}

describe("the memory that a device works on", () => {
  it("is the caller's, where that suits", async () => {
    const memory = [entry(page(1), 512, 3584), entry(page(2), 0, 512)];
    const { pagesSent } = await write(memory);
    expect(pagesSent).toEqual(memory.map((each) => each.page));
    expect(pagesSent[0]).toBe(memory[0]?.page);
  });

  it("is a copy, where the caller's begins at an odd place", async () => {
    const memory = [entry(page(1), 1, 3000), entry(page(2), 9, 1096)];
    const { pagesSent } = await write(memory);
    expect(pagesSent).toHaveLength(1);
    expect(memory.map((each) => each.page)).not.toContain(pagesSent[0]);
  });

  it("is a copy, where a device that takes any memory would get bios of odd length", async () => {
    const memory = Array.from({ length: 512 }, (_, at) => entry(page(at & 0xff), at % 7, 8));
    const { setting } = await write(memory, { limits: { dmaAlignmentMask: 0 } });
    expect(setting.sent.map((bio) => bio.sizeBytes)).toEqual([4096]);
  });

  it("is not the caller's, where the device does not reach it", async () => {
    const high = page(3, TOP_FRAME + 1);
    const memory = [entry(high, 0, 2048), entry(page(4, 1), 0, 2048)];
    const { pagesSent } = await write(memory, { bounced: ["frames", 4] });
    expect(pagesSent).toHaveLength(2);
    expect(pagesSent[0]).not.toBe(high);
    expect(pagesSent[1]).toBe(memory[1]?.page);
  });

  it("is of an arena, where the device wants addresses that are aligned", async () => {
    const memory = [entry(page(5), 0, 2048), entry(page(6), 0, 2048)];
    const { pagesSent, setting } = await write(memory, { bounced: ["aligned", 4] });
    const [buffer] = new Set(pagesSent.map(({ bytes }) => bytes.buffer));
    expect(buffer).toBe(setting.bounced?.arena.buffer);
    expect(pagesSent).toHaveLength(1);
  });
});

describe("a command of more than the device takes in one request", () => {
  it.each([
    ["segments", { maxSegments: 2 }],
    ["sectors", { maxHwSectors: 9, maxSectors: 9 }],
    ["memory without gaps", { isGapless: true }],
  ])("is carried out in parts (%s)", async (_name, limits) => {
    const setting = new Setting({ limits: { ...LIMITS, ...limits } });
    const dataOut = Array.from({ length: 12 }, (_, at) => entry(page(at), 512 * (at % 4), 2048));
    const wish = { lba: 3, blocks: 48 };
    await setting.execute({ cdb: cdb10(Opcode.Write10, wish), dataOut });
    expect(setting.peek(3, 48)).toEqual(bytesOf(dataOut));
    const dataIn = [entry({ bytes: new Uint8Array(24_576), frame: 1 }, 0, 24_576)];
    await setting.execute({ cdb: cdb10(Opcode.Read10, wish), dataIn });
    expect(bytesOf(dataIn)).toEqual(bytesOf(dataOut));
    expect(setting.missing).toEqual(NOTHING_MISSING);
  });
});
