import { BlockClient } from "../block-client.ts";
import { Errno } from "../raw-protocol.ts";

const KIB = 1024;
const SMALL_BYTES = 4 * KIB;
const LARGE_BYTES = 1024 * KIB;
/** Of so many requests one is a large one. */
const LARGE_EVERY = 50;

/** How long requests took, in milliseconds. */
export interface Latency {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export interface Probed {
  /** Reads and writes of 4 KiB in turn. */
  readonly small: Latency;
  /** Reads of 1 MiB. */
  readonly large: Latency;
}

/** Asks for one thing after the other, as clients do that wait for each answer. */
export async function probe(path: string, seconds: number): Promise<Probed> {
  const client = await BlockClient.open(path, "");
  const smallMs: number[] = [];
  const largeMs: number[] = [];
  const data = Buffer.alloc(SMALL_BYTES, 0x5a);
  const endMs = performance.now() + seconds * 1000;
  for (let count = 1; performance.now() < endMs || largeMs.length === 0; count += 1) {
    const isLarge = count % LARGE_EVERY === 0;
    const offset = ((count * 7919) % 4096) * SMALL_BYTES;
    const beganMs = performance.now();
    const answer = isLarge
      ? await client.read(0, LARGE_BYTES)
      : count % 2 === 0
        ? await client.write(offset, data)
        : await client.read(offset, SMALL_BYTES);
    if (answer?.errno !== Errno.Ok)
      throw new Error(`who does no harm got ${String(answer?.errno)}`);
    (isLarge ? largeMs : smallMs).push(performance.now() - beganMs);
  }
  client.close();
  return { small: latencyOf(smallMs), large: latencyOf(largeMs) };
}

function latencyOf(takenMs: number[]): Latency {
  takenMs.sort((a, b) => a - b);
  const at = (part: number): number =>
    takenMs[Math.min(takenMs.length - 1, Math.floor(takenMs.length * part))] ?? NaN;
  return { count: takenMs.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}
