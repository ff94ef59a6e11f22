import type { Bytes } from "@blkstack/bio";
import { PAGE_BYTES } from "@blkstack/bio";
import type { Memory, Reserve } from "@blkstack/memory";

/** How the memory of a server fares, and the pools before it. Plain data, ready for JSON. */
export interface MemoryReport {
  readonly memory: {
    readonly totalBytes: Bytes;
    readonly freeBytes: Bytes;
    /** Rounds in which an allocation had others give memory back, and those before it came to that. */
    readonly directRounds: number;
    readonly backgroundRounds: number;
    /** Times that nobody had anything to give, and an allocation slept. */
    readonly stalls: number;
    /** What caches have given back, in objects, by cache. */
    readonly evictions: Readonly<Record<string, number>>;
    /** Rounds of both kinds, by who did them. */
    readonly roundsByTask: Readonly<Record<string, number>>;
  };
  readonly pools: readonly Reserve[];
}

export function memoryReport(memory: Memory): MemoryReport {
  const { directRounds, backgroundRounds, stalls, evictions, roundsByTask } = memory.counters;
  return {
    memory: {
      totalBytes: memory.totalPages * PAGE_BYTES,
      freeBytes: memory.freePages * PAGE_BYTES,
      directRounds,
      backgroundRounds,
      stalls,
      evictions: Object.fromEntries(evictions),
      roundsByTask: Object.fromEntries(roundsByTask),
    },
    pools: [...memory.reserves].map(({ label, minNr, currNr, lowestNr, fromReserve, waits }) => {
      return { label, minNr, currNr, lowestNr, fromReserve, waits };
    }),
  };
}
