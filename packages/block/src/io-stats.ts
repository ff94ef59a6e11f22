/** What I/O is counted apart by. */
export const IoKind = { Read: 0, Write: 1, Discard: 2, Zero: 3, Flush: 4, Other: 5 } as const;
export type IoKind = (typeof IoKind)[keyof typeof IoKind];

/** What people call the kinds, by number. */
export const IO_KIND_NAMES: readonly string[] = [
  "read",
  "write",
  "discard",
  "zero",
  "flush",
  "other",
];

/** Bucket n: at most 2^n µs, and more than the bucket before; the last one: all that took longer. */
export const LATENCY_BUCKETS = 25;

// Where each word of a kind is; the buckets follow.
const IOS = 0;
const BYTES = 1;
const ERRORS = 2;
const TOTAL_US = 3;
const FIRST_BUCKET = 4;
const KIND_WORDS = 29;
const LAST_BUCKET = 24;
const LAST_BOUND_US = 2 ** 23;

/**
 * What was done, how much of it, how it went and how long it took. Plain words in one array, so that
 * to count makes no garbage; who reads may do so at any time, for a word is always whole.
 */
export class IoStats {
  /** Begun, and not ended. */
  inFlight = 0;
  readonly #words: Float64Array = new Float64Array(IO_KIND_NAMES.length * KIND_WORDS);
  readonly #lastErrorMs: Float64Array = new Float64Array([-Infinity]);

  /** One I/O that began at `startMs` has gone well, at `nowMs`. `inFlight` is the caller's. Waits: never. */
  count(kind: IoKind, bytes: number, startMs: number, nowMs: number): void {
    const words = this.#words;
    const at = kind * KIND_WORDS + BYTES;
    words[at] = (words[at] ?? 0) + bytes;
    this.#countEnd(kind, (nowMs - startMs) * 1000);
  }

  /** As `count`, for one that has gone wrong. */
  countError(kind: IoKind, startMs: number, nowMs: number): void {
    const words = this.#words;
    const at = kind * KIND_WORDS + ERRORS;
    words[at] = (words[at] ?? 0) + 1;
    this.#lastErrorMs[0] = nowMs;
    this.#countEnd(kind, (nowMs - startMs) * 1000);
  }

  /** How many have ended, those with an error included. */
  ios(kind: IoKind): number {
    return this.#words[kind * KIND_WORDS + IOS] ?? 0;
  }

  /** Bytes of those that went well. */
  bytes(kind: IoKind): number {
    return this.#words[kind * KIND_WORDS + BYTES] ?? 0;
  }

  errors(kind: IoKind): number {
    return this.#words[kind * KIND_WORDS + ERRORS] ?? 0;
  }

  /** How long all of them took together, in microseconds. */
  totalUs(kind: IoKind): number {
    return this.#words[kind * KIND_WORDS + TOTAL_US] ?? 0;
  }

  /** How many took how long: see `LATENCY_BUCKETS`. */
  latency(kind: IoKind): number[] {
    const first = kind * KIND_WORDS + FIRST_BUCKET;
    return [...this.#words.subarray(first, first + LATENCY_BUCKETS)];
  }

  /** When something went wrong last, by the clock of who counts; -Infinity: never. */
  get lastErrorMs(): number {
    return this.#lastErrorMs[0] ?? -Infinity;
  }

  /** Adds what another has counted, and has in flight. */
  add(other: IoStats): void {
    this.inFlight += other.inFlight;
    for (const [index, word] of other.#words.entries()) {
      this.#words[index] = (this.#words[index] ?? 0) + word;
    }
    this.#lastErrorMs[0] = Math.max(this.lastErrorMs, other.lastErrorMs);
  }

  #countEnd(kind: IoKind, tookUs: number): void {
    const words = this.#words;
    const first = kind * KIND_WORDS;
    const bucket = first + FIRST_BUCKET + latencyBucketOf(tookUs);
    words[first + IOS] = (words[first + IOS] ?? 0) + 1;
    words[first + TOTAL_US] = (words[first + TOTAL_US] ?? 0) + tookUs;
    words[bucket] = (words[bucket] ?? 0) + 1;
  }
}

/** The bucket that so many microseconds belong to. */
export function latencyBucketOf(tookUs: number): number {
  if (tookUs <= 1) return 0;
  if (tookUs > LAST_BOUND_US) return LAST_BUCKET;
  // Of a whole number above 1 the power of two that is not below it.
  return 32 - Math.clz32(Math.ceil(tookUs) - 1);
}
