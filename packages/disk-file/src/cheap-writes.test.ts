import * as fs from "node:fs";
import { BioOp, BioStatus } from "@blkstack/bio";
import { type FileCalls, loadFileCalls } from "@blkstack/file-calls";
import { expect, it } from "vitest";
import { ended, pattern, planBio } from "@blkstack/block/testing";
import { recordingFiles } from "../test/files.ts";
import { fileDisk } from "../test/images.ts";

const EIO = -5;
const real = await callsOfThisMachine();

async function callsOfThisMachine(): Promise<FileCalls> {
  const calls = await loadFileCalls();
  if (calls === null) throw new Error("these tests need koffi on Linux");
  return calls;
}

/** Calls whose writes answer so, after as much was written. */
function callsThatWrite(answer: (length: number) => number, asked: number[]): FileCalls {
  const write: FileCalls["write"] = (fd, bytes, at, length, position) => {
    asked.push(length);
    const count = answer(length);
    return count > 0 ? real.write(fd, bytes, at, count, position) : count;
  };
  return Object.assign(Object.create(real) as FileCalls, { write });
}

async function writeThrough(answer: (length: number) => number, cuts: number[] = []) {
  const [story, asked]: [string[], number[]] = [[], []];
  const disk = await fileDisk({
    calls: callsThatWrite(answer, asked),
    files: recordingFiles(story),
  });
  const data = pattern(8, 5);
  const bio = planBio({ op: BioOp.Write, sector: 3, sectors: 8, data, cuts });
  expect(await ended(disk, bio)).toBe(BioStatus.Ok);
  expect(new Uint8Array(fs.readFileSync(disk.path)).subarray(3 * 512, 11 * 512)).toEqual(data);
  return { story: story.filter((line) => line.startsWith("write")), asked };
}

it("a write from one piece of memory is one cheap call", async () => {
  const { story, asked } = await writeThrough((length) => length);
  expect([asked, story]).toEqual([[8 * 512], []]);
});

it("what a cheap call leaves is written the usual way", async () => {
  expect((await writeThrough(() => 1000)).asked).toEqual([8 * 512]);
});

it("a cheap call that fails is made again the usual way, which tells why", async () => {
  const { story } = await writeThrough(() => EIO);
  expect(story.length).toBe(1);
});

it("a write from several pieces goes the usual way", async () => {
  expect((await writeThrough((length) => length, [1024, 512])).asked).toEqual([]);
});
