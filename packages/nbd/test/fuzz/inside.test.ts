// Sessions that are nearly right, by the million: what a server is but its sockets, in one process,
// against a model of what it must answer.
// For longer, and from another beginning: npm run -s fuzz -- nbd --messages 5000000 --seed 1
import { expect, it, vi } from "vitest";
import { asked } from "./asked.ts";
import type { Tally } from "./expectation.ts";
import { held, messagesOf, type Play, playInside } from "./inside.ts";

vi.mock("../../src/listener.ts", () => import("./memory/listener.ts"));
vi.mock("../../src/socket-reader.ts", () => import("./memory/socket-reader.ts"));
vi.mock("../../src/server-tls.ts", () => import("./memory/server-tls.ts"));

const SEED = 20_260_101;
const MIB = 1024 * 1024;
/** More than every compiled function and every pool take that has not yet seen its largest use. */
const KEPT_BYTES_MAX = 24 * MIB;

const few = { sessionsMax: Infinity, messagesMax: 12_000, forMs: Infinity } as const;

/** Plays; throws what a bad session has come down to. */
async function play(of: Play): Promise<Tally> {
  const { tally, seconds, bad } = await playInside(of);
  if (bad !== null) {
    const again = `npm run -s fuzz -- nbd --sessions 1 --seed ${String(bad.seed)}`;
    throw new Error(`${bad.why}\nagain: ${again}\nsmaller: ${bad.session}`);
  }
  if (asked.isAsked) tell(tally, seconds, of.seed);
  return tally;
}

function tell(tally: Tally, seconds: number, seed: number): void {
  const messages = messagesOf(tally);
  const counts = Object.entries(tally).map(([what, count]) => `${String(count)} ${what}`);
  const rate = (messages / seconds).toFixed(0);
  process.stderr.write(
    `fuzzed from seed ${String(seed)} for ${seconds.toFixed(1)} s: ${String(messages)} messages, ` +
      `${rate} a second; ${counts.join(", ")}\n`,
  );
}

it("answers sessions with every kind of mistake as the model says", async () => {
  const tally = await play({ ...few, seed: SEED });
  // Not only refusals are tried, nor only what is right.
  expect(Math.min(...Object.values(tally))).toBeGreaterThan(5);
});

it(
  "does so for sessions that nobody has tried before, and keeps nothing of them",
  async () => {
    const { seed, isAsked, seconds, sessionsMax, messagesMax } = asked;
    const forMs = isAsked && seconds > 0 ? seconds * 1000 : Infinity;
    const before = held();
    const onProgress = (tally: Tally, next: number): void => {
      const so = `${String(messagesOf(tally))} messages; next is seed ${String(next)}`;
      if (isAsked) process.stderr.write(`${so}\n`);
    };
    process.stderr.write(`fuzzing from seed ${String(seed)}\n`);
    await play(isAsked ? { seed, sessionsMax, messagesMax, forMs, onProgress } : { ...few, seed });
    const after = held();
    if (isAsked) {
      const mib = (bytes: number): string => (bytes / MIB).toFixed(1);
      for (const [when, { heapBytes, bufferBytes, descriptors }] of Object.entries({
        before,
        after,
      })) {
        process.stderr.write(
          `${when}: ${mib(heapBytes)} MiB of heap, ${mib(bufferBytes)} MiB of buffers, ` +
            `${String(descriptors)} descriptors\n`,
        );
      }
    }
    expect(after.descriptors).toBe(before.descriptors);
    expect(after.heapBytes - before.heapBytes).toBeLessThan(KEPT_BYTES_MAX);
    expect(after.bufferBytes - before.bufferBytes).toBeLessThan(KEPT_BYTES_MAX);
  },
  asked.timeoutMs,
);
