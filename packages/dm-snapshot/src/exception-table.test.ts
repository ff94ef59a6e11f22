import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ExceptionTable, RemoveResult } from "./index.ts";

function collect(table: ExceptionTable): Map<number, number> {
  const all = new Map<number, number>();
  table.forEachRun((oldChunk, newChunk, count) => {
    for (let offset = 0; offset < count; offset += 1) {
      if (all.has(oldChunk + offset)) expect.fail(`${String(oldChunk + offset)} is told twice`);
      all.set(oldChunk + offset, newChunk + offset);
    }
  });
  return all;
}

/** Chunks from few places, so that neighbours, full groups and the far end of the range all occur. */
const oldChunks = fc
  .tuple(fc.constantFrom(0, 1000, 2 ** 35 - 16, 2 ** 35 + 1000, 2 ** 48 - 64), fc.nat(63))
  .map(([base, offset]) => base + offset);
const newChunks = fc
  .tuple(fc.constantFrom(0, 2, 2 ** 32 - 20, 2 ** 40), fc.nat(40))
  .map(([base, offset]) => base + offset);

it("the table and a map that were told the same answer the same", () => {
  const step = fc.record({
    isRemove: fc.integer({ min: 0, max: 9 }).map((dice) => dice < 3),
    oldChunk: oldChunks,
    newChunk: newChunks,
    length: fc.integer({ min: 1, max: 12 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const table = new ExceptionTable();
      const model = new Map<number, number>();
      for (const { isRemove, oldChunk, newChunk, length } of steps)
        for (let offset = 0; offset < length && oldChunk + offset < 2 ** 48; offset += 1) {
          const chunk = oldChunk + offset;
          if (isRemove) {
            const result = table.remove(chunk);
            expect(result === RemoveResult.Absent).toBe(!model.has(chunk));
            if (result === RemoveResult.Removed) model.delete(chunk);
          } else {
            expect(table.insert(chunk, newChunk + offset)).toBe(!model.has(chunk));
            if (!model.has(chunk)) model.set(chunk, newChunk + offset);
          }
        }
      expect(table.size).toBe(model.size);
      expect(collect(table)).toEqual(model);
      for (const base of [0, 1000, 2 ** 35 - 16, 2 ** 35 + 1000, 2 ** 48 - 64])
        for (let chunk = base; chunk < base + 64; chunk += 1)
          expect(table.lookup(chunk)).toBe(model.get(chunk) ?? -1);
    }),
    { numRuns: 300 },
  );
});

/** Bijective on 32 bits, so that no two of a sequence are the same. */
function scatter(value: number): number {
  let x = Math.imul(value ^ 0x5bd1e995, 0x9e3779b1);
  x = Math.imul(x ^ (x >>> 15), 0x85ebca6b);
  return (x ^ (x >>> 13)) >>> 0;
}

it.each([
  ["chunks in no order at all", (i: number) => scatter(i)],
  ["every chunk of a range, in no order", (i: number) => (i * 7919) % 100_003],
  ["one chunk in each group", (i: number) => i * 8],
  ["far apart at equal distances", (i: number) => i * 65_536],
  ["behind the chunks that 35 bits count", (i: number) => 2 ** 36 + scatter(i)],
])("100,000 exceptions are found again: %s", (_, oldChunkOf) => {
  const table = new ExceptionTable();
  for (let i = 0; i < 100_000; i += 1)
    if (!table.insert(oldChunkOf(i), i * 2 + 2)) expect.fail(`${String(i)} was there`);
  for (let i = 0; i < 100_000; i += 1)
    if (table.lookup(oldChunkOf(i)) !== i * 2 + 2) expect.fail(`${String(i)} is lost`);
  expect(table.size).toBe(100_000);
  expect(collect(table).size).toBe(100_000);
});

it("at no time does an exception of a large table cost more than 16 bytes", () => {
  const table = new ExceptionTable();
  let mostBytes = 0;
  for (let i = 0; i < 100_000; i += 1) {
    table.insert(scatter(i), i + 2);
    if (i >= 30_000 && i % 100 === 0) mostBytes = Math.max(mostBytes, table.memoryBytes / (i + 1));
  }
  expect(mostBytes).toBeLessThanOrEqual(16);
});

it("neighbours that moved together share an entry, in whichever direction they came", () => {
  const upwards = new ExceptionTable();
  const downwards = new ExceptionTable();
  for (let i = 0; i < 4096; i += 1) {
    upwards.insert(i, i + 2);
    downwards.insert(4095 - i, 4097 - i);
  }
  expect(upwards.runs).toBe(512);
  expect(downwards.runs).toBe(512);
  expect(collect(downwards)).toEqual(collect(upwards));
});

it("of two mappings of one chunk the first one counts", () => {
  const table = new ExceptionTable();
  expect(table.insert(5, 2)).toBe(true);
  expect(table.insert(5, 3)).toBe(false);
  expect(table.lookup(5)).toBe(2);
  expect(table.size).toBe(1);
});

describe("a run of three", () => {
  function run(): ExceptionTable {
    const table = new ExceptionTable();
    for (const chunk of [9, 10, 11]) table.insert(chunk, chunk + 100);
    return table;
  }

  it("loses its ends, one after the other", () => {
    const table = run();
    expect([11, 9, 10].map((chunk) => table.remove(chunk))).toEqual([
      RemoveResult.Removed,
      RemoveResult.Removed,
      RemoveResult.Removed,
    ]);
    expect(table.size).toBe(0);
    expect(table.runs).toBe(0);
  });

  it("does not lose its middle", () => {
    const table = run();
    expect(table.remove(10)).toBe(RemoveResult.InsideRun);
    expect([9, 10, 11].map((chunk) => table.lookup(chunk))).toEqual([109, 110, 111]);
  });

  it("has nothing before it and nothing behind", () => {
    const table = run();
    expect([8, 12].map((chunk) => table.remove(chunk))).toEqual([
      RemoveResult.Absent,
      RemoveResult.Absent,
    ]);
  });
});

it("what cannot be a chunk is refused", () => {
  const table = new ExceptionTable();
  expect(() => table.insert(2 ** 48, 2)).toThrow("old chunk 281474976710656 does not fit");
  expect(() => table.insert(2, 2 ** 48)).toThrow("new chunk 281474976710656 does not fit");
  expect(() => table.insert(-1, 2)).toThrow("old chunk -1");
  expect(() => table.insert(0.5, 2)).toThrow("old chunk 0.5");
});

it("a cleared table is as a new one", () => {
  const table = new ExceptionTable();
  const newBytes = table.memoryBytes;
  for (let i = 0; i < 100_000; i += 1) table.insert(scatter(i), i);
  table.clear();
  expect(table.memoryBytes).toBe(newBytes);
  expect(table.lookup(scatter(7))).toBe(-1);
  expect(collect(table).size).toBe(0);
});
