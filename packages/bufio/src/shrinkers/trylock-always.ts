import { type Shrinker, SHRINK_STOP } from "@blkstack/memory";
import { type Awaitable, type Gfp, GfpBit, isPending, type Task } from "@blkstack/task";
import type { ShrinkableCache, ShrinkerGeneration } from "./generation.ts";

/**
 * As it was in 2019: nobody waits for the lock, and who may enter a filesystem still waits for I/O.
 * Whoever reclaims for everybody else waits with it.
 */
export const trylockAlways: ShrinkerGeneration = {
  name: "trylock-always",
  create: (cache) => new TrylockShrinker(cache),
};

class TrylockShrinker implements Shrinker {
  readonly label: string;
  readonly #cache: ShrinkableCache;

  constructor(cache: ShrinkableCache) {
    this.label = cache.label;
    this.#cache = cache;
  }

  /** Waits: never. */
  count(): number {
    return Math.max(0, this.#cache.count - this.#cache.retain);
  }

  /** Waits: for I/O, where the mask allows to enter a filesystem. */
  scan(amount: number, gfp: Gfp, task: Task): Awaitable<number> {
    const { lock } = this.#cache;
    if (!lock.tryLock(task)) return SHRINK_STOP;
    const freed = this.#cache.evict(amount, (gfp & GfpBit.Fs) !== 0, task);
    if (isPending(freed)) return this.#unlockAfter(freed, task);
    lock.unlock(task);
    return freed;
  }

  async #unlockAfter(freed: Promise<number>, task: Task): Promise<number> {
    try {
      return await freed;
    } finally {
      this.#cache.lock.unlock(task);
    }
  }
}
