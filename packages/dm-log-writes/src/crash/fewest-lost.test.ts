import fc from "fast-check";
import { expect, it } from "vitest";
import { fewestLost } from "./fewest-lost.ts";

/** Sets of numbers below `count`, as bits. */
function sizeOf(set: number): number {
  return set.toString(2).replaceAll("0", "").length;
}

function bitsOf(set: readonly number[]): number {
  return set.reduce((bits, at) => bits | (1 << at), 0);
}

it("of few, no smaller set fails", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 7 }),
      fc.array(fc.integer({ min: 0, max: 127 })),
      async (count, chosen) => {
        const all = Array.from({ length: count }, (_, at) => at);
        const failing = new Set([...chosen.map((set) => set & (2 ** count - 1)), 2 ** count - 1]);
        const found = await fewestLost(all, (set) => failing.has(bitsOf(set)));
        const fewest = Math.min(...[...failing].map(sizeOf));
        expect(failing).toContain(bitsOf(found));
        expect(found.length).toBe(fewest);
      },
    ),
  );
});

it("of many, it fails, and fails with none left out", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 30, max: 200 }),
      fc.array(fc.nat(), { minLength: 3, maxLength: 6 }),
      async (count, culprits) => {
        const needed = new Set(culprits.map((each) => each % count));
        const all = Array.from({ length: count }, (_, at) => at);
        let asked = 0;
        const found = await fewestLost(all, async (set) => {
          asked += 1;
          return Promise.resolve([...needed].every((each) => set.includes(each)));
        });
        expect([...found].sort((a, b) => a - b)).toEqual([...needed].sort((a, b) => a - b));
        expect(asked).toBeLessThan(1500);
      },
    ),
    { numRuns: 40 },
  );
});

it("when it fails with nothing lost, nothing is", async () => {
  expect(await fewestLost([1, 2, 3], () => true)).toEqual([]);
});

it("also where less that is lost may fail and more not, none of what is answered can be left out", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 30, max: 60 }), fc.nat(), async (count, seed) => {
      const all = Array.from({ length: count }, (_, at) => at);
      const fails = (set: readonly number[]): boolean => {
        if (set.length === count) return true;
        const mixed = set.reduce((sum, at) => Math.imul(sum ^ (at + 1), 0x9e37_79b1), seed | 0);
        return set.length > 2 && (mixed >>> 7) % 3 === 0;
      };
      const found = await fewestLost(all, fails);
      expect(fails(found)).toBe(true);
      for (const one of found) expect(fails(found.filter((each) => each !== one))).toBe(false);
    }),
  );
});
