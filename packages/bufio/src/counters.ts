import type { Bytes } from "@blkstack/bio";

/** What a client has done so far, and what it has now. */
export interface BufioCounters {
  /** Blocks asked for that were there. */
  readonly hits: number;
  /** Blocks asked for that were not. */
  readonly misses: number;
  /** Bios sent. */
  readonly reads: number;
  readonly writes: number;
  readonly flushes: number;
  /** Blocks given up to make room, for being old, or because memory was short. */
  readonly evictions: number;
  /** How often memory was short and the client was asked to give some back; not all may have been. */
  readonly shrinksAsked: number;
  /** Blocks that it gave back then, or said that it would. */
  readonly shrinksPromised: number;
  readonly buffers: number;
  /** Those that are dirty, or being written. */
  readonly dirtyBuffers: number;
  /** Memory of blocks, and the most that it has been; reserves included. */
  readonly currentBytes: Bytes;
  readonly peakBytes: Bytes;
}

/** Those of the counters that only grow. */
export type Tally = {
  -readonly [Name in keyof typeof NOTHING_YET]: number;
};

const NOTHING_YET = {
  hits: 0,
  misses: 0,
  reads: 0,
  writes: 0,
  flushes: 0,
  evictions: 0,
  shrinksAsked: 0,
  shrinksPromised: 0,
} as const;

export function newTally(): Tally {
  return { ...NOTHING_YET };
}
