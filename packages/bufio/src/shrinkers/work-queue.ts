import type { Shrinker } from "@blkstack/memory";
import { type Task, WorkItem } from "@blkstack/task";
import type { ShrinkableCache, ShrinkerGeneration } from "./generation.ts";

/**
 * As it is since 2020: whoever is short of memory is promised some, and a worker of the client, which
 * holds nothing that anybody's I/O needs, keeps the promise. The only one that never makes anybody wait.
 */
export const workQueue: ShrinkerGeneration = {
  name: "workqueue",
  create: (cache) => new WorkQueueShrinker(cache),
};

class WorkQueueShrinker implements Shrinker {
  readonly label: string;
  readonly #cache: ShrinkableCache;
  readonly #work: WorkItem;
  /** Buffers promised and not given back yet. */
  #needShrink = 0;

  constructor(cache: ShrinkableCache) {
    this.label = cache.label;
    this.#cache = cache;
    this.#work = new WorkItem(`shrink ${cache.label}`, (task) => this.#shrink(task));
  }

  /** What is promised cannot be promised again. Waits: never. */
  count(): number {
    return Math.max(0, this.#cache.count - this.#cache.retain - this.#needShrink);
  }

  /** Waits: never. */
  scan(amount: number): number {
    this.#needShrink += amount;
    this.#cache.queueWork(this.#work);
    return amount;
  }

  async #shrink(task: Task): Promise<void> {
    const { lock } = this.#cache;
    while (this.#needShrink > 0) {
      await lock.lock(task);
      const freed = await this.#cache.evict(this.#needShrink, true, task);
      lock.unlock(task);
      // No more to be had: what was promised beyond that is forgotten.
      this.#needShrink = freed === 0 ? 0 : Math.max(0, this.#needShrink - freed);
    }
  }
}
