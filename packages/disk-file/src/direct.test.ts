/// <reference lib="es2024.arraybuffer" />
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Bio, BioOp, BioStatus, createVecs, PAGE_BYTES } from "@blkstack/bio";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { afterEach, beforeEach, expect, it } from "vitest";
import { ended } from "@blkstack/block/testing";
import { FileDisk } from "./index.ts";

let folder = "";

beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "direct-"));
});

afterEach(() => {
  fs.rmSync(folder, { recursive: true });
});

function openDirect(): Promise<FileDisk> {
  const scheduler = new VirtualScheduler({ isExploring: false });
  const file = { path: join(folder, "image"), create: true, sizeBytes: 64 * 1024 };
  return FileDisk.open({ name: "image", scheduler, isDirect: true, ...file });
}

/** A bio over memory that begins `offset` bytes behind a page. */
function bioAt(op: BioOp, offset: number, bytes: number): Bio {
  const whole = 4 * PAGE_BYTES;
  const memory = new ArrayBuffer(whole, { maxByteLength: whole });
  const bio = new Bio();
  bio.op = op;
  bio.vecs = createVecs(1);
  bio.vecMax = 1;
  bio.addPage({ bytes: new Uint8Array(memory).fill(7), frame: 0 }, bytes, offset);
  return bio;
}

it("aligned memory is written past the page cache and read back, and zeroes are written", async () => {
  const disk = await openDirect();
  expect(disk.queue.limits.dmaAlignmentMask).toBe(511);
  expect(await ended(disk, bioAt(BioOp.Write, 512, 8192))).toBe(BioStatus.Ok);
  const zeroes = new Bio();
  Object.assign(zeroes, { op: BioOp.WriteZeroes, sizeBytes: 4096 });
  expect(await ended(disk, zeroes)).toBe(BioStatus.Ok);
  const read = bioAt(BioOp.Read, 0, 8192);
  expect(await ended(disk, read)).toBe(BioStatus.Ok);
  const { bytes } = read.vecs[0]?.page ?? { bytes: new Uint8Array() };
  expect([bytes[0], bytes[4095], bytes[4096], bytes[8191]]).toEqual([0, 0, 7, 7]);
  await disk.close();
});
