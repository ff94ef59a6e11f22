import { closeSync, fstatSync, openSync } from "node:fs";
import { BioFlag, BioOp, BioStatus } from "@blkstack/bio";
import { ExtentFlag, ExtentLayer, findExtent } from "@blkstack/block";
import { expect, it } from "vitest";
import { dataOf, ended, pattern, planBio } from "@blkstack/block/testing";
import { fileDisk, freshPath } from "../test/images.ts";
import type { FileDisk } from "./file-disk.ts";

const { Discard, Read, Write, WriteZeroes } = BioOp;

/** A letter for each page of the disk: d, or h for a hole. */
function map(disk: FileDisk): string {
  let letters = "";
  for (let sector = 0; sector < 400;) {
    const extent = { sectors: 400 - sector, flags: 77, layer: ExtentLayer.Origin };
    findExtent(disk, sector, extent);
    expect(extent.sectors % 8).toBe(0);
    const isHole = extent.flags === (ExtentFlag.Hole | ExtentFlag.Zero);
    expect(isHole || extent.flags === 0).toBe(true);
    letters += (isHole ? "h" : "d").repeat(extent.sectors / 8);
    sector += extent.sectors;
  }
  return letters;
}

async function change(disk: FileDisk, plan: Parameters<typeof planBio>[0]): Promise<void> {
  expect(await ended(disk, planBio(plan))).toBe(BioStatus.Ok);
}

it("holes are told from data as writes, discards and zeroes make and fill them", async () => {
  const disk = await fileDisk();
  expect(map(disk)).toBe("h".repeat(50));
  await change(disk, { op: Write, sector: 8, sectors: 24, data: pattern(24, 1) });
  expect(map(disk)).toBe(`hddd${"h".repeat(46)}`);
  await change(disk, { op: Discard, sector: 16, sectors: 8 });
  expect(map(disk)).toBe(`hdhd${"h".repeat(46)}`);
  await change(disk, { op: WriteZeroes, sector: 8, sectors: 8 });
  expect(map(disk)).toBe(`hhhd${"h".repeat(46)}`);
  await change(disk, { op: Write, sector: 392, sectors: 8, data: pattern(8, 1) });
  expect(map(disk)).toBe(`hhhd${"h".repeat(45)}d`);
  await disk.close();
  expect(map(disk)).toBe("d".repeat(50));
});

it("a discard gives the space back; zeroes that must not unmap keep it", async () => {
  const path = freshPath();
  const disk = await fileDisk({ path });
  const fd = openSync(path, "r");
  await change(disk, { op: Write, sector: 0, sectors: 400, data: pattern(400, 9) });
  const full = fstatSync(fd).blocks;
  await change(disk, { op: WriteZeroes, sector: 0, sectors: 400, flags: BioFlag.NoUnmap });
  expect(fstatSync(fd).blocks).toBeGreaterThanOrEqual(full);
  const read = planBio({ op: Read, sector: 0, sectors: 400 });
  expect(await ended(disk, read)).toBe(BioStatus.Ok);
  expect(dataOf(read).every((byte) => byte === 0)).toBe(true);
  await change(disk, { op: Discard, sector: 0, sectors: 400 });
  expect(fstatSync(fd).blocks).toBe(0);
  closeSync(fd);
  await disk.close();
});

it("a part of a block that is discarded reads as zeroes, and its neighbours stay", async () => {
  const disk = await fileDisk();
  const data = pattern(24, 5);
  await change(disk, { op: Write, sector: 0, sectors: 24, data });
  await change(disk, { op: Discard, sector: 3, sectors: 15 });
  const read = planBio({ op: Read, sector: 0, sectors: 24 });
  await ended(disk, read);
  expect(dataOf(read)).toEqual(data.fill(0, 3 * 512, 18 * 512));
  await disk.close();
});
