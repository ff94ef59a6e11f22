import { BioOp } from "@blkstack/bio";
import fc from "fast-check";
import { expect, it } from "vitest";
import { Bench } from "../test/setting.ts";
import { SLICE_MS } from "./slice.ts";

interface Sent {
  readonly ms: number;
  readonly bytes: number;
}

/** Bytes by which the busiest window exceeds what its length allows, with two slices more. */
function excessOf(sent: readonly Sent[], bps: number): number {
  let worst = -Infinity;
  for (const [first, { ms: from }] of sent.entries()) {
    let bytes = 0;
    for (const { ms, bytes: more } of sent.slice(first)) {
      bytes += more;
      worst = Math.max(worst, bytes - (bps * (ms - from + 2 * SLICE_MS)) / 1000);
    }
  }
  return worst;
}

const burst = fc.record({
  afterMs: fc.nat(400),
  sectors: fc.array(fc.integer({ min: 1, max: 512 }), { minLength: 1, maxLength: 6 }),
});

it.each(["flat", "nested"] as const)(
  "no window exceeds its bytes by more than two slices and the largest bio (%s)",
  async (hierarchy) => {
    const loads = fc.array(burst, { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 10_000, max: 4_000_000 }), loads, async (bps, bursts) => {
        const bench = new Bench({ hierarchy });
        const port = bench.port("g", { wbps: bps });
        const bytesOf = new Map<string, number>();
        for (const { afterMs, sectors } of bursts) {
          await bench.scheduler.advance(afterMs);
          await bench.scheduler.perform("writer", async (task) => {
            for (const count of sectors) {
              const name = `w${String(bytesOf.size)}`;
              bytesOf.set(name, count * 512);
              await bench.submitOne(port, BioOp.Write, count * 512, name, task);
            }
          });
        }
        await bench.scheduler.advance(2_000_000);
        expect(bench.throttle.heldCount).toBe(0);
        const sent = bench.log.map((line) => {
          const [name = "", ms] = line.split(" ");
          return { ms: Number(ms), bytes: bytesOf.get(name) ?? NaN };
        });
        expect(sent).toHaveLength(bytesOf.size);
        expect(excessOf(sent, bps)).toBeLessThanOrEqual(Math.max(...bytesOf.values()));
      }),
      { numRuns: 40 },
    );
  },
);
