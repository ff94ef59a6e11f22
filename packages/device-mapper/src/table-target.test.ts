import { BioOp } from "@blkstack/bio";
import { MapResult, type Target } from "@blkstack/block";
import { expect, it } from "vitest";
import { failing } from "../test/test-targets.ts";
import { TableTarget, toSectors } from "./table-target.ts";

/** A line from sector 100 to 140 whose target says this of itself. */
function lineOf(said: Partial<Target> = {}): TableTarget {
  const line = { lineNumber: 1, begin: 100n, length: 40n, type: "failing", args: [] };
  const target = { map: () => MapResult.Kill, status: () => "", ...said };
  return new TableTarget(line, failing, target, { exactly: BigInt });
}

it("a target that says nothing takes reads and writes of any size, and no more", () => {
  const entry = lineOf();
  const taken = [
    BioOp.Read,
    BioOp.Write,
    BioOp.Discard,
    BioOp.WriteZeroes,
    BioOp.SecureErase,
    BioOp.ZoneOpen,
  ].map((op) => entry.copies(op));
  expect(taken).toEqual([1, 1, 0, 0, 0, 0]);
  expect([entry.flushBios, entry.hasEndIo, entry.mostClones]).toEqual([0, false, 0]);
  expect(entry.pieceSectors(100, 40)).toBe(40);
});

it("every operation has a number of copies of its own", () => {
  const entry = lineOf({ discardBios: 2, writeZeroesBios: 3, secureEraseBios: 4 });
  const copies = [BioOp.Discard, BioOp.WriteZeroes, BioOp.SecureErase, BioOp.ZoneOpen];
  expect(copies.map((op) => entry.copies(op))).toEqual([2, 3, 4, 0]);
});

it.each([
  // One clone comes with the account of a bio that carries something.
  [{ discardBios: 1, writeZeroesBios: 1, secureEraseBios: 1 }, 0],
  [{ discardBios: 4, writeZeroesBios: 2 }, 3],
  [{ writeZeroesBios: 3 }, 2],
  [{ secureEraseBios: 5, discardBios: 2 }, 4],
  [{ flushBios: 3, discardBios: 3 }, 3],
] as const)("for %o there must be %i more clones than accounts", (said, clones) => {
  expect(lineOf(said).mostClones).toBe(clones);
});

it("a bio ends with its line", () => {
  const entry = lineOf();
  expect(entry.pieceSectors(110, 29)).toBe(29);
  expect(entry.pieceSectors(110, 30)).toBe(30);
  expect(entry.pieceSectors(110, 31)).toBe(30);
});

it("a bio ends at lines that are counted from the target's begin, or from where it says", () => {
  const [own, said] = [lineOf({ maxIoSectors: 16 }), lineOf({ maxIoSectors: 16, ioLinesFrom: 0 })];
  expect([own.pieceSectors(100, 40), said.pieceSectors(100, 40)]).toEqual([16, 12]);
  expect([own.pieceSectors(120, 40), said.pieceSectors(120, 40)]).toEqual([12, 8]);
  expect([own.pieceSectors(132, 40), said.pieceSectors(132, 40)]).toEqual([8, 8]);
  expect(own.pieceSectors(100, 5)).toBe(5);
});

it("what a target says anew holds from the next refresh", () => {
  const said: { -readonly [K in keyof Target]?: Target[K] } = {};
  const line = { lineNumber: 1, begin: 100n, length: 40n, type: "failing", args: [] };
  const target: Target = Object.assign(said, { map: () => MapResult.Kill, status: () => "" });
  const entry = new TableTarget(line, failing, target, { exactly: BigInt });
  Object.assign(said, { maxIoSectors: 8, ioLinesFrom: 4, flushBios: 2, endIo: () => 0 });
  expect(entry).toMatchObject({ maxIoSectors: 0, ioLinesFrom: 100, flushBios: 0, hasEndIo: false });
  entry.refresh();
  expect(entry).toMatchObject({ maxIoSectors: 8, ioLinesFrom: 4, flushBios: 2, hasEndIo: true });
});

it("counts beyond what a number holds exactly are the most that it does", () => {
  expect(toSectors(2n ** 53n - 2n)).toBe(2 ** 53 - 2);
  expect(toSectors(2n ** 64n - 1n)).toBe(Number.MAX_SAFE_INTEGER);
});
