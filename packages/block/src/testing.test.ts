import { BioOp, SECTOR_BYTES } from "@blkstack/bio";
import { expect, it } from "vitest";
import { dataOf, pattern, planBio } from "./testing.ts";

it("no two sectors of a pattern are alike, nor are those of another seed", () => {
  const sectors = new Set<string>();
  for (const seed of [0, 1, 2, 32_767]) {
    const bytes = pattern(1000, seed);
    for (let at = 0; at < bytes.length; at += SECTOR_BYTES)
      sectors.add(Buffer.from(bytes.subarray(at, at + SECTOR_BYTES)).toString("latin1"));
  }
  expect(sectors.size).toBe(4000);
});

it("a planned bio holds its data, cut where it was asked to be, and nothing beside it", () => {
  const data = pattern(3);
  const bio = planBio({ op: BioOp.Write, sector: 5, sectors: 3, cuts: [100, 1000], data });
  expect(bio.vecs.map(({ length }) => length)).toEqual([100, 1000, 436]);
  expect(new Set(bio.vecs.map(({ page }) => page)).size).toBe(3);
  expect(dataOf(bio)).toEqual(data);
  for (const { page, offset, length } of bio.vecs) {
    page.bytes.fill(0xee, offset, offset + length);
    expect(page.bytes.every((byte) => byte === 0xee)).toBe(true);
  }
});

it("a write without data writes zeroes, and a read has something to overwrite", () => {
  const write = planBio({ op: BioOp.Write, sector: 0, sectors: 1 });
  expect(dataOf(write)).toEqual(new Uint8Array(SECTOR_BYTES));
  const read = planBio({ op: BioOp.Read, sector: 0, sectors: 1 });
  expect(dataOf(read).every((byte) => byte === 0xee)).toBe(true);
});

it("the data of a bio whose reader has moved on is still whole", () => {
  const data = pattern(2);
  const bio = planBio({ op: BioOp.Write, sector: 0, sectors: 2, cuts: [700], data });
  bio.advance(800);
  expect(dataOf(bio)).toEqual(data);
});
