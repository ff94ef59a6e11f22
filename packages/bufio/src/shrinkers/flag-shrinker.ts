import { type Shrinker, SHRINK_STOP } from "@blkstack/memory";
import { type Awaitable, type Gfp, isPending, type Task } from "@blkstack/task";
import type { ShrinkableCache } from "./generation.ts";

/**
 * Waits for the lock, and for I/O, if one bit of the mask is set; without it, does what can be done
 * without waiting.
 */
export class FlagShrinker implements Shrinker {
  readonly label: string;
  readonly #cache: ShrinkableCache;
  readonly #waitBit: Gfp;

  constructor(cache: ShrinkableCache, waitBit: Gfp) {
    this.label = cache.label;
    this.#cache = cache;
    this.#waitBit = waitBit;
  }

  /** Waits: for the lock, where the mask has the bit. */
  count(gfp: Gfp, task: Task): Awaitable<number> {
    return this.#locked(gfp, task, 0, () => this.#cache.count);
  }

  /** Waits: for the lock and for I/O, where the mask has the bit. */
  scan(amount: number, gfp: Gfp, task: Task): Awaitable<number> {
    const mayWait = this.#mayWait(gfp);
    return this.#locked(gfp, task, SHRINK_STOP, () => this.#cache.evict(amount, mayWait, task));
  }

  #mayWait(gfp: Gfp): boolean {
    return (gfp & this.#waitBit) !== 0;
  }

  #locked(
    gfp: Gfp,
    task: Task,
    otherwise: number,
    work: () => Awaitable<number>,
  ): Awaitable<number> {
    const { lock } = this.#cache;
    if (this.#mayWait(gfp)) return this.#waiting(task, work);
    if (!lock.tryLock(task)) return otherwise;
    const done = work();
    if (isPending(done)) return this.#unlockAfter(done, task);
    lock.unlock(task);
    return done;
  }

  async #waiting(task: Task, work: () => Awaitable<number>): Promise<number> {
    const { lock } = this.#cache;
    await lock.lock(task);
    return this.#unlockAfter(work(), task);
  }

  async #unlockAfter(done: Awaitable<number>, task: Task): Promise<number> {
    try {
      return await done;
    } finally {
      this.#cache.lock.unlock(task);
    }
  }
}
