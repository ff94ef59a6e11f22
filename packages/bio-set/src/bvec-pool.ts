import { BIO_MAX_VECS } from "@blkstack/bio";
import { type Memory, Slab } from "@blkstack/memory";
import { Mempool } from "@blkstack/mempool";
import {
  type Awaitable,
  type Gfp,
  GfpBit,
  isPending,
  mayWait,
  type Scheduler,
  type Task,
} from "@blkstack/task";
import { tableBytes } from "./element-bytes.ts";
import { VecTable } from "./pooled-bio.ts";

/** Sizes that come from memory only; above them is the pool, of tables for the largest bio. */
const SLAB_VECS = [16, 64, 128] as const;
/** Free tables kept for reuse per size; a large one weighs some kilobytes. */
const KEEP_TABLES_MAX = 32;

export interface BvecPoolOptions {
  readonly scheduler: Scheduler;
  readonly memory: Memory;
  /** The name of the set; slabs are called `bvec-16 of NAME` and so on. */
  readonly name: string;
  readonly minNr: number;
}

/**
 * Tables of vectors in a few sizes. Only the largest has a reserve: who may wait and finds no
 * memory for a small table is given a large one.
 */
export class BvecPool {
  readonly pool: Mempool<VecTable>;
  readonly #small: Slab<VecTable>;
  readonly #medium: Slab<VecTable>;
  readonly #large: Slab<VecTable>;

  constructor({ scheduler, memory, name, minNr }: BvecPoolOptions) {
    const slabOf = (maxVecs: number): Slab<VecTable> =>
      new Slab(memory, `bvec-${String(maxVecs)} of ${name}`, () => new VecTable(maxVecs), {
        keepMax: KEEP_TABLES_MAX,
        elementBytes: tableBytes(maxVecs),
      });
    const [small, medium, large] = SLAB_VECS;
    this.#small = slabOf(small);
    this.#medium = slabOf(medium);
    this.#large = slabOf(large);
    this.pool = new Mempool({
      scheduler,
      label: `bvecs of bio_set "${name}"`,
      allocator: slabOf(BIO_MAX_VECS),
      minNr,
    });
  }

  /**
   * Takes a table for at least `vecCount` vectors, at most `BIO_MAX_VECS`.
   *
   * Waits: if `gfp` allows, until a large table is given back. Then never null. Without waiting
   * only who asks for a large table is given one of the reserve.
   */
  alloc(gfp: Gfp, vecCount: number, task: Task): Awaitable<VecTable | null> {
    const slab = this.#slabFor(vecCount);
    if (slab !== null) {
      const table = slab.tryAlloc(firstMask(gfp));
      if (table !== null) table.home = slab;
      if (table !== null || !mayWait(gfp)) return table;
    }
    const table = this.pool.alloc(gfp, task);
    return isPending(table) ? table.then((late) => this.#fromPool(late)) : this.#fromPool(table);
  }

  /** All tables must have been freed. */
  destroy(): void {
    this.pool.destroy();
    for (const slab of [this.#small, this.#medium, this.#large]) slab.letGoOfAll();
  }

  /** Null when only the pool has tables of this size. */
  #slabFor(vecCount: number): Slab<VecTable> | null {
    const [small, medium, large] = SLAB_VECS;
    if (vecCount <= small) return this.#small;
    if (vecCount <= medium) return this.#medium;
    return vecCount <= large ? this.#large : null;
  }

  #fromPool(table: VecTable | null): VecTable | null {
    if (table !== null) table.home = this.pool;
    return table;
  }
}

function firstMask(gfp: Gfp): Gfp {
  const hopeful = gfp & ~(GfpBit.Wait | GfpBit.Io);
  return hopeful | GfpBit.NoMemalloc | GfpBit.NoRetry | GfpBit.NoWarn;
}

/** Gives a table back to where it was really taken from. */
export function freeVecTable(table: VecTable): void {
  table.holder = null;
  table.home?.free(table);
}
