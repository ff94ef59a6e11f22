import * as fs from "node:fs";
import { type Bio, BioOp, BioStatus } from "@blkstack/bio";
import type { FileCalls } from "@blkstack/file-calls";
import { expect, it } from "vitest";
import { dataOf, ended, pattern, planBio } from "@blkstack/block/testing";
import { type HeldCall, holdingFiles } from "../test/files.ts";
import { fileDisk } from "../test/images.ts";

const EAGAIN = -11;
const EOPNOTSUPP = -95;

/** A page cache in which what a test says is missing, and how often it was asked. */
class PageCache implements FileCalls {
  readonly missing = new Set<number>();
  readonly readAheads: number[] = [];
  answer = EAGAIN;
  asked = 0;

  readCached(fd: number, bytes: Uint8Array, at: number, length: number, position: number): number {
    this.asked += 1;
    if (this.missing.has(position)) return this.answer;
    return fs.readSync(fd, bytes, at, length, position);
  }

  readvCached(fd: number, views: readonly Uint8Array[], position: number): number {
    return this.missing.has(position) ? this.answer : fs.readvSync(fd, views, position);
  }

  readAhead(_fd: number, { offsetBytes }: { readonly offsetBytes: number }): void {
    this.readAheads.push(offsetBytes);
  }

  write(): number {
    return EOPNOTSUPP;
  }

  findData(): number {
    return EOPNOTSUPP;
  }

  findHole(): number {
    return EOPNOTSUPP;
  }

  punch(): void {
    throw new Error("not of this test");
  }

  zero(): void {
    throw new Error("not of this test");
  }
}

function readAt(sector: number): Bio {
  return planBio({ op: BioOp.Read, sector, sectors: 1 });
}

async function written(options: { calls: PageCache; held: HeldCall[]; maxInFlight?: number }) {
  const disk = await fileDisk({ ...options, files: holdingFiles(options.held) });
  await ended(disk, planBio({ op: BioOp.Write, sector: 0, sectors: 8, data: pattern(8, 3) }));
  for (let sector = 0; sector < 8; sector += 1) options.calls.missing.add(sector * 512);
  return disk;
}

/** Submits a read; what ends goes into `ends` with its sector, after its data was looked at. */
function submit(disk: Awaited<ReturnType<typeof fileDisk>>, sector: number, ends: number[]): void {
  const bio = readAt(sector);
  void ended(disk, bio).then((status) => {
    expect(status).toBe(BioStatus.Ok);
    expect(dataOf(bio)).toEqual(pattern(8, 3).subarray(sector * 512, sector * 512 + 512));
    ends.push(sector);
  });
}

async function settle(): Promise<void> {
  for (let turns = 0; turns < 3; turns += 1) await new Promise(setImmediate);
}

it("what is in the page cache is read at once while a read of what is not waits", async () => {
  const [calls, held, ends]: [PageCache, HeldCall[], number[]] = [new PageCache(), [], []];
  const disk = await written({ calls, held });
  calls.missing.delete(5 * 512);
  submit(disk, 2, ends);
  submit(disk, 5, ends);
  await settle();
  expect(ends).toEqual([5]);
  expect(held.map(({ name }) => name)).toEqual(["readv"]);
  await held.shift()?.release();
  await settle();
  expect(ends).toEqual([5, 2]);
});

it("of many reads that wait one has a thread, and the others look again when it is done", async () => {
  const [calls, held, ends]: [PageCache, HeldCall[], number[]] = [new PageCache(), [], []];
  const disk = await written({ calls, held });
  for (const sector of [1, 2, 3, 4]) submit(disk, sector, ends);
  expect(held.length).toBe(1);
  expect(calls.readAheads).toEqual([1024, 1536, 2048]);
  calls.missing.delete(1536);
  await held.shift()?.release();
  await settle();
  expect(ends).toEqual([1, 3]);
  expect(held.length).toBe(1);
  calls.missing.delete(2048);
  await held.shift()?.release();
  await settle();
  expect(ends).toEqual([1, 3, 2, 4]);
});

it("those beyond what may be in flight come to their turn, also when they find their data", async () => {
  const [calls, held, ends]: [PageCache, HeldCall[], number[]] = [new PageCache(), [], []];
  const disk = await written({ calls, held, maxInFlight: 1 });
  for (const sector of [0, 1, 2, 3]) submit(disk, sector, ends);
  expect([held.length, calls.readAheads.length]).toEqual([1, 0]);
  calls.missing.clear();
  await held.shift()?.release();
  await settle();
  expect(ends).toEqual([0, 1, 2, 3]);
});

it("a file system that cannot tell is read inside the call, and asked once", async () => {
  const [calls, held, ends]: [PageCache, HeldCall[], number[]] = [new PageCache(), [], []];
  const disk = await written({ calls, held });
  calls.answer = EOPNOTSUPP;
  submit(disk, 1, ends);
  submit(disk, 2, ends);
  await settle();
  expect(ends).toEqual([1, 2]);
  expect([calls.asked, held.length]).toEqual([1, 0]);
});
