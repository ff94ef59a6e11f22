import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chunkSizeProblem, CowLayout } from "./index.ts";

const layouts = fc.constantFrom(1, 2, 8, 16, 32).map((sectors) => new CowLayout(sectors));

it("areas lie before the data that they name, 256 of them with chunks of 8 sectors", () => {
  const layout = new CowLayout(8);
  expect(layout.entriesPerArea).toBe(256);
  expect([0, 1, 2].map((area) => layout.areaChunk(area))).toEqual([1, 258, 515]);
  expect([0, 1, 2, 257, 258, 259].map((chunk) => layout.isMetadataChunk(chunk))).toEqual([
    true,
    true,
    false,
    false,
    true,
    false,
  ]);
});

it("handing out chunk after chunk skips the areas and nothing else", () => {
  fc.assert(
    fc.property(layouts, fc.integer({ min: 1, max: 3000 }), (layout, count) => {
      const areas = new Set(Array.from({ length: 100 }, (_, area) => layout.areaChunk(area)));
      let chunk = layout.dataChunkFrom(0);
      for (let index = 0; index < count; index += 1) {
        expect(areas.has(chunk)).toBe(false);
        expect(layout.dataChunksBefore(chunk)).toBe(index);
        const next = layout.dataChunkFrom(chunk + 1);
        expect(next - chunk).toBe(areas.has(chunk + 1) ? 2 : 1);
        chunk = next;
      }
    }),
    { numRuns: 20 },
  );
});

it("the capacity is what can be committed one by one, each with the area that it needs", () => {
  fc.assert(
    fc.property(layouts, fc.nat(5000), fc.nat(31), (layout, chunks, rest) => {
      const totalSectors = chunks * layout.chunkSectors + (rest % layout.chunkSectors);
      let count = 0;
      let chunk = 2;
      for (;;) {
        const fillsArea = (count + 1) % layout.entriesPerArea === 0;
        const last = fillsArea ? chunk + 1 : chunk;
        if (!layout.isWithin(last, totalSectors)) break;
        count += 1;
        chunk = layout.dataChunkFrom(chunk + 1);
      }
      expect(layout.capacity(totalSectors)).toBe(count);
    }),
    { numRuns: 50 },
  );
});

describe("a chunk size", () => {
  it.each([
    [1, null],
    [2, null],
    [2 ** 21, null],
    [0, "Chunk size is not a power of 2"],
    [3, "Chunk size is not a power of 2"],
    [2 ** 22, "Chunk size is too high"],
    [2 ** 31, "Chunk size is too high"],
  ])("of %d sectors: %s", (sectors, problem) => {
    expect(chunkSizeProblem(sectors)).toBe(problem);
  });

  it("must fill whole blocks of each device", () => {
    expect(chunkSizeProblem(8, [512, 4096])).toBeNull();
    expect(chunkSizeProblem(4, [512, 4096])).toContain("multiple of the logical block size");
  });
});
