import { BlockError } from "@blkstack/block";
import * as fs from "node:fs";
import { dirname } from "node:path";
import { describe, expect, it } from "vitest";
import { fileDisk, freshPath } from "../test/images.ts";
import type { FileDiskOptions } from "./file-disk.ts";

async function refusal(options: Partial<FileDiskOptions>): Promise<BlockError> {
  const error: unknown = await fileDisk(options).then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof BlockError)) throw new Error("it was opened", { cause: error });
  expect(error.code).toBe("BLK_DEVICE");
  return error;
}

function image(sizeBytes: number): string {
  const path = freshPath();
  fs.writeFileSync(path, new Uint8Array(sizeBytes));
  return path;
}

const asIs = { create: false, sizeBytes: undefined } as unknown as Partial<FileDiskOptions>;

describe("opening", () => {
  it("makes a new file of the asked size, without data, only when asked to", async () => {
    const path = freshPath();
    const disk = await fileDisk({ path, sizeBytes: 1 << 30 });
    const { size, blocks } = fs.statSync(path);
    expect([size, blocks * 512 < 1 << 20]).toEqual([1 << 30, true]);
    await disk.close();
  });

  it("serves whole sectors: the rest of an odd file is left alone", async () => {
    const path = image(2000);
    const disk = await fileDisk({ path, ...asIs });
    expect(disk.sizeSectors).toBe(3);
    await disk.close();
    expect(fs.statSync(path).size).toBe(2000);
  });

  it("asks for no more than reading when the disk is read-only", async () => {
    const disk = await fileDisk({ path: process.execPath, ...asIs, isReadOnly: true });
    expect(disk.sizeSectors).toBe(Math.floor(fs.statSync(process.execPath).size / 512));
    await disk.close();
  });

  it("takes an existing file of the very size although it was to be made", async () => {
    const disk = await fileDisk({ path: image(4096), sizeBytes: 4096 });
    expect([disk.sizeSectors, disk.isNew]).toEqual([8, false]);
    await disk.close();
  });
});

describe("a file that somebody else makes longer or shorter", () => {
  it("is served as long as it has become, once the disk has looked", async () => {
    const path = image(4096);
    const disk = await fileDisk({ path, sizeBytes: 4096 });
    fs.truncateSync(path, 10_000);
    expect(disk.sizeSectors).toBe(8);
    await disk.followGrowth();
    expect(disk.sizeSectors).toBe(19);
    fs.truncateSync(path, 512);
    await disk.followGrowth();
    expect(disk.sizeSectors).toBe(19);
    await disk.close();
  });

  it("is made longer by the disk itself when that is asked for, and never shorter", async () => {
    const path = image(4096);
    const disk = await fileDisk({ path, sizeBytes: 4096 });
    await disk.grow(8192);
    expect([disk.sizeSectors, fs.statSync(path).size]).toEqual([16, 8192]);
    await disk.grow(512);
    expect([disk.sizeSectors, fs.statSync(path).size]).toEqual([16, 8192]);
    await expect(disk.grow(Infinity)).rejects.toThrow(/a size of Infinity bytes/);
    await disk.close();
  });

  it("is not made longer by a disk that only reads it", async () => {
    const path = image(4096);
    const disk = await fileDisk({ path, ...asIs, isReadOnly: true });
    await disk.grow(4096);
    await expect(disk.grow(8192)).rejects.toThrow(/is 4096 bytes long.*open for reading only/);
    expect(fs.statSync(path).size).toBe(4096);
    await disk.close();
  });

  it("is no longer followed when the disk is closed", async () => {
    const path = image(4096);
    const disk = await fileDisk({ path, sizeBytes: 4096 });
    fs.truncateSync(path, 8192);
    await Promise.all([disk.followGrowth(), disk.close()]);
    await disk.followGrowth();
    expect(disk.sizeSectors).toBe(8);
  });
});

describe("what cannot be opened, and what the error says", () => {
  it("a missing file", async () => {
    const path = freshPath();
    const error = await refusal({ path, ...asIs });
    expect(error.errno).toBe("ENOENT");
    expect(error.message).toBe(
      `disk "f0": ${path}: No such file or directory; check the path, or give create and a size to make it`,
    );
    expect(fs.existsSync(path)).toBe(false);
  });

  it("a folder", async () => {
    const path = dirname(freshPath());
    const error = await refusal({ path, ...asIs });
    expect([error.errno, error.message]).toEqual([
      "EISDIR",
      `disk "f0": ${path}: Is a directory; give the path of an image file`,
    ]);
  });

  it("an empty file, and one of another size, which stays as it is", async () => {
    const empty = image(0);
    const error = await refusal({ path: empty, ...asIs });
    expect(error.message).toContain("is 0 bytes long; a disk has at least one sector");
    const path = image(4096);
    const created = await refusal({ path, sizeBytes: 8192 });
    expect(created.errno).toBe("EEXIST");
    expect(created.message).toContain("is 4096 bytes long; asked for were 8192");
    const opened = await refusal({ path, create: false, sizeBytes: 8192 });
    expect(opened.errno).toBe("EINVAL");
    expect([fs.statSync(empty).size, fs.statSync(path).size]).toEqual([0, 4096]);
  });

  it("what is neither a file nor a block device", async () => {
    const { message } = await refusal({ path: "/dev/null", ...asIs });
    expect(message).toContain("is neither; give an image file");
  });

  it("a path that leads through a file", async () => {
    expect((await refusal({ path: `${image(512)}/x`, ...asIs })).message).toMatch(
      /ENOTDIR: not a directory; every folder on the way/,
    );
  });

  it("a program that runs, for writing", async () => {
    const error = await refusal({ path: process.execPath, ...asIs });
    expect(error.message).toMatch(/give it read and write permission, or open it read-only$/);
  });

  it.each([
    ["no size", { sizeBytes: undefined }, "is to be made; give its size"],
    ["read-only", { isReadOnly: true }, "a new file cannot be read-only"],
    ["half a sector", { sizeBytes: 256 }, "a size of 256 bytes; give a whole number from 512"],
    ["half a byte", { sizeBytes: 600.5 }, "a size of 600.5 bytes"],
  ])("a new file with %s, and nothing is left behind", async (_name, wrong, message) => {
    const path = freshPath();
    const error = await refusal({ path, ...(wrong as Partial<FileDiskOptions>) });
    expect(error.message).toContain(message);
    expect(fs.existsSync(path)).toBe(false);
  });

  it("a new file that the filesystem cannot hold, and nothing is left behind", async () => {
    const path = freshPath();
    const error = await refusal({ path, sizeBytes: Number.MAX_SAFE_INTEGER });
    expect(error.message).toContain("a file of 9007199254740991 bytes cannot be made there");
    expect(fs.existsSync(path)).toBe(false);
  });

  it("a new file in a folder that is not there", async () => {
    const error = await refusal({ path: `${freshPath()}/x.img` });
    expect(error.message).toContain("the folder must be there and be writable");
  });
});
