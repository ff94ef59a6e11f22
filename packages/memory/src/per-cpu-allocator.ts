import { invariant } from "@blkstack/bio";
import { type Awaitable, type Gfp, isPending, Mutex, type Task } from "@blkstack/task";
import type { Memory } from "./memory.ts";
import { Slab } from "./slab.ts";

/** Lanes begin at multiples of so many words, so that no two cpus write to one cache line. */
const WORDS_PER_LINE = 8;

export interface PerCpuAllocatorOptions {
  readonly memory: Memory;
  /** How many cpus there can be: each has a lane in every block. Default: 1. */
  readonly cpus?: number;
  /** What people call it, and the site of its allocations in a fault plan. */
  readonly label?: string;
}

/**
 * A number of words for each cpu. `values` may be looked at from other threads: word `w` of cpu `c`
 * is at `c * strideWords + w`, and only that cpu adds to it.
 */
export class PerCpuBlock {
  readonly cpus: number;
  readonly words: number;
  readonly strideWords: number;
  readonly values: Float64Array<SharedArrayBuffer>;
  /** Whether it is allocated; to touch it otherwise is a defect. */
  isLive = false;

  constructor(cpus: number, words: number) {
    this.cpus = cpus;
    this.words = words;
    this.strideWords = strideOf(words);
    this.values = new Float64Array(new SharedArrayBuffer(cpus * this.strideWords * 8));
  }

  /** Word `word` over all cpus. Waits: never. */
  sum(word: number): number {
    let sum = 0;
    for (let at = word; at < this.values.length; at += this.strideWords)
      sum += this.values[at] ?? 0;
    return sum;
  }
}

/**
 * Memory of which each cpu has a part of its own, so that counting needs no lock.
 *
 * One mutex serialises it, and is held while it takes memory. So whoever is needed to reclaim
 * memory, which is everybody on the submission path, must not allocate here.
 */
export class PerCpuAllocator {
  readonly label: string;
  readonly cpus: number;
  readonly #memory: Memory;
  readonly #mutex: Mutex;
  readonly #slabs = new Map<number, Slab<PerCpuBlock>>();

  constructor({ memory, cpus = 1, label = "per-cpu memory" }: PerCpuAllocatorOptions) {
    invariant(Number.isSafeInteger(cpus) && cpus >= 1, `${label}: no cpus`);
    this.label = label;
    this.cpus = cpus;
    this.#memory = memory;
    this.#mutex = new Mutex(label);
  }

  /** Blocks handed out and not given back. */
  get liveCount(): number {
    let count = 0;
    for (const slab of this.#slabs.values()) count += slab.liveCount;
    return count;
  }

  /**
   * A block of `words` for each cpu, all 0; null when there is no memory.
   *
   * Waits: whatever `gfp` says, for whoever allocates here before; and as `gfp` allows, for memory.
   */
  alloc(words: number, gfp: Gfp, task: Task): Awaitable<PerCpuBlock | null> {
    const locked = this.#mutex.lock(task);
    if (isPending(locked)) return this.#allocAfter(locked, words, gfp, task);
    return this.#allocLocked(words, gfp, task);
  }

  /** A block if memory is there for the asking and nobody else allocates. Waits: never. */
  tryAlloc(words: number, gfp: Gfp): PerCpuBlock | null {
    return this.#mutex.owner === null ? cleared(this.#slabOf(words).tryAlloc(gfp)) : null;
  }

  /** Waits: never. */
  free(block: PerCpuBlock): void {
    invariant(block.isLive, `double free: a block of ${this.label}`);
    block.isLive = false;
    this.#slabOf(block.words).free(block);
  }

  async #allocAfter(
    locked: Promise<void>,
    words: number,
    gfp: Gfp,
    task: Task,
  ): Promise<PerCpuBlock | null> {
    await locked;
    return this.#allocLocked(words, gfp, task);
  }

  #allocLocked(words: number, gfp: Gfp, task: Task): Awaitable<PerCpuBlock | null> {
    const block = this.#slabOf(words).alloc(gfp, task);
    if (isPending(block)) return this.#unlockAfter(block, task);
    this.#mutex.unlock(task);
    return cleared(block);
  }

  async #unlockAfter(
    allocated: Promise<PerCpuBlock | null>,
    task: Task,
  ): Promise<PerCpuBlock | null> {
    try {
      return cleared(await allocated);
    } finally {
      this.#mutex.unlock(task);
    }
  }

  #slabOf(words: number): Slab<PerCpuBlock> {
    const known = this.#slabs.get(words);
    if (known !== undefined) return known;
    const elementBytes = this.cpus * strideOf(words) * 8;
    const make = (): PerCpuBlock => new PerCpuBlock(this.cpus, words);
    const slab = new Slab(this.#memory, this.label, make, { elementBytes });
    this.#slabs.set(words, slab);
    return slab;
  }
}

function cleared(block: PerCpuBlock | null): PerCpuBlock | null {
  if (block === null) return null;
  block.values.fill(0);
  block.isLive = true;
  return block;
}

function strideOf(words: number): number {
  return Math.ceil(words / WORDS_PER_LINE) * WORDS_PER_LINE;
}
