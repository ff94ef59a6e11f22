import { BioFlag, BioOp, BioStatus } from "@blkstack/bio";
import { BlockError } from "@blkstack/block";
import * as fs from "node:fs";
import { describe, expect, it } from "vitest";
import { ended, planBio } from "@blkstack/block/testing";
import { errno, type HeldCall, holdingFiles, recordingFiles } from "../test/files.ts";
import { fileDisk } from "../test/images.ts";
import type { FileDisk } from "./file-disk.ts";

const { Write, Flush, WriteZeroes } = BioOp;
const { Fua, Preflush } = BioFlag;

const flush = (disk: FileDisk): Promise<BioStatus> =>
  ended(disk, planBio({ op: Flush, sector: 0, sectors: 0 }));
const write = (disk: FileDisk, flags = 0, sectors = 1): Promise<BioStatus> =>
  ended(disk, planBio({ op: Write, sector: 0, sectors, flags }));

async function settle(): Promise<void> {
  await new Promise(setImmediate);
}

describe("the order of calls", () => {
  it.each([
    ["a flush", Flush, 0, 0, [">fdatasync", "<fdatasync", "end"]],
    ["an empty preflush write", Write, 0, Preflush, [">fdatasync", "<fdatasync", "end"]],
    ["a plain write", Write, 1, 0, ["write", "end"]],
    ["a FUA write", Write, 1, Fua, ["write", ">fdatasync", "<fdatasync", "end"]],
    ["a preflush write", Write, 1, Preflush, [">fdatasync", "<fdatasync", "write", "end"]],
    [
      "a preflush FUA write on a thread",
      Write,
      100,
      Preflush | Fua,
      [">fdatasync", "<fdatasync", ">writev", "<writev", ">fdatasync", "<fdatasync", "end"],
    ],
    ["FUA zeroes", WriteZeroes, 8, Fua, [">writev", "<writev", ">fdatasync", "<fdatasync", "end"]],
  ] as const)("of %s", async (_name, op, sectors, flags, expected) => {
    const story: string[] = [];
    const disk = await fileDisk({ files: recordingFiles(story), syncLimitBytes: 4096 });
    await ended(disk, planBio({ op, sector: 0, sectors, flags })).then(() => story.push("end"));
    expect(story).toEqual(expected);
    await disk.close();
  });

  it("a flush with nothing written since the last one needs no call", async () => {
    const story: string[] = [];
    const disk = await fileDisk({ files: recordingFiles(story) });
    await write(disk);
    await flush(disk);
    story.length = 0;
    expect(await flush(disk)).toBe(BioStatus.Ok);
    expect(story).toEqual([]);
    await disk.close();
    expect(story).toEqual([]);
  });

  it("the first flush after opening is never skipped, for whoever wrote before us", async () => {
    const story: string[] = [];
    const disk = await fileDisk({ files: recordingFiles(story) });
    await flush(disk);
    expect(story).toEqual([">fdatasync", "<fdatasync"]);
    await disk.close();
  });
});

describe("flushes at the same time", () => {
  it("share one fdatasync, but never one that began before them", async () => {
    const held: HeldCall[] = [];
    const disk = await fileDisk({ files: holdingFiles(held) });
    const story: string[] = [];
    const flushed = (name: string): Promise<unknown> =>
      flush(disk).then((status) => story.push(`${name} ${String(status)}`));
    await write(disk);
    const first = flushed("first");
    await write(disk);
    const later = [flushed("second"), flushed("third")];
    expect(held).toHaveLength(1);
    await held.shift()?.release();
    await first;
    expect(story).toEqual(["first 0"]);
    expect(held).toHaveLength(1);
    await held.shift()?.release();
    await Promise.all(later);
    expect(story).toEqual(["first 0", "second 0", "third 0"]);
    expect(held).toHaveLength(0);
    await disk.close();
  });

  it("a write that ends while an fdatasync runs is covered by the next one", async () => {
    const held: HeldCall[] = [];
    const disk = await fileDisk({ files: holdingFiles(held), syncLimitBytes: 0 });
    const slow = write(disk, 0, 8);
    const [writev] = held.splice(0);
    const first = flush(disk);
    await writev?.release();
    expect(await slow).toBe(BioStatus.Ok);
    await held.shift()?.release();
    expect(await first).toBe(BioStatus.Ok);
    const second = flush(disk);
    expect(held.map(({ name }) => name)).toEqual(["fdatasync"]);
    await held.shift()?.release();
    expect(await second).toBe(BioStatus.Ok);
    await disk.close();
  });
});

describe("a failed fdatasync", () => {
  it("fails every flush that waits and every later one, and close says so", async () => {
    const held: HeldCall[] = [];
    const disk = await fileDisk({ files: holdingFiles(held) });
    await write(disk);
    const waiting = [flush(disk), write(disk, Fua), flush(disk)];
    held.shift()?.fail("EIO");
    expect(await Promise.all(waiting)).toEqual(new Array(3).fill(BioStatus.IoError));
    expect(await flush(disk)).toBe(BioStatus.IoError);
    expect(await write(disk, Fua)).toBe(BioStatus.IoError);
    expect(await write(disk, Preflush)).toBe(BioStatus.IoError);
    expect(await write(disk)).toBe(BioStatus.Ok);
    expect(held).toHaveLength(0);
    await expect(disk.close()).rejects.toThrow(/EIO; writes since the last good flush may be lost/);
  });

  it("for want of space says NoSpace; one that was only interrupted is repeated", async () => {
    const held: HeldCall[] = [];
    const disk = await fileDisk({ files: holdingFiles(held) });
    const first = flush(disk);
    held.shift()?.fail("EINTR");
    expect(held).toHaveLength(1);
    held.shift()?.fail("ENOSPC");
    expect(await first).toBe(BioStatus.NoSpace);
    expect(await flush(disk)).toBe(BioStatus.NoSpace);
    await expect(disk.close()).rejects.toBeInstanceOf(BlockError);
  });
});

it("an I/O error of a write fails the next flush once, and a full disk does not", async () => {
  let code: string | null = null;
  const files = {
    ...fs,
    writeSync: (fd: number, bytes: Uint8Array, offset: number, length: number, at: number) => {
      if (code !== null) throw errno(code);
      return fs.writeSync(fd, bytes, offset, length, at);
    },
  };
  const disk = await fileDisk({ files });
  expect(await write(disk)).toBe(BioStatus.Ok);
  code = "ENOSPC";
  expect(await write(disk)).toBe(BioStatus.NoSpace);
  expect(await flush(disk)).toBe(BioStatus.Ok);
  code = "EIO";
  expect(await write(disk)).toBe(BioStatus.IoError);
  code = null;
  expect(await flush(disk)).toBe(BioStatus.IoError);
  expect(await flush(disk)).toBe(BioStatus.Ok);
  await settle();
  await disk.close();
});
