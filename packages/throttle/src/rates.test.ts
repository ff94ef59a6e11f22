import fc from "fast-check";
import { expect, it } from "vitest";
import { Bench, named } from "../test/setting.ts";

/** How long what the limit allows in ten seconds takes, in seconds, when all comes at once. */
async function secondsForTen(
  limits: { readonly riops?: number; readonly rbps?: number },
  bytes: number,
  options: ConstructorParameters<typeof Bench>[0] = {},
): Promise<number> {
  const bench = new Bench(options);
  const { riops = Infinity, rbps = Infinity } = limits;
  const count = Math.ceil(Math.min(riops, rbps / bytes) * 10);
  await bench.read(bench.port("g", limits), bytes, ...named("r", count));
  await bench.scheduler.advance(60_000);
  expect(bench.log).toHaveLength(count);
  return (Math.max(...bench.times) - 1000) / 1000;
}

it.each([3, 7, 8, 9, 11, 15, 19, 33, 99, 999])(
  "of %i operations a second as many go, though a slice has no whole number of them",
  async (riops) => {
    // The first slice goes at once, and the last bio has a millisecond of its own.
    const longest = 10 + 1 / riops;
    const seconds = await secondsForTen({ riops }, 4096);
    expect(seconds).toBeGreaterThan(9.8 - 1 / riops);
    expect(seconds).toBeLessThan(longest);
  },
);

it("no rate of bytes or operations is off by more than two slices in ten seconds", async () => {
  const limits = fc.record({
    riops: fc.integer({ min: 5, max: 400 }),
    rbps: fc.integer({ min: 20_000, max: 1_000_000 }),
  });
  await fc.assert(
    fc.asyncProperty(
      limits,
      fc.constantFrom<"flat" | "nested">("flat", "nested"),
      async (both, hierarchy) => {
        const bytes = 2048;
        const seconds = await secondsForTen(both, bytes, { hierarchy });
        const perSecond = Math.min(both.riops, both.rbps / bytes);
        expect(Math.abs(seconds - 10)).toBeLessThanOrEqual(0.2 + 2 / perSecond);
      },
    ),
    { numRuns: 40 },
  );
});

it.each([
  [15, 10],
  [19, 10],
  [8, 5],
])(
  "of %i operations a second %i go where fractions are dropped, as in kernels",
  async (riops, rate) => {
    const seconds = await secondsForTen({ riops }, 4096, { fractions: "dropped" });
    expect((riops * 10) / seconds).toBeGreaterThan(rate * 0.98);
    expect((riops * 10) / seconds).toBeLessThan(rate * 1.05);
  },
);
