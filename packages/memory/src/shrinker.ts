import type { Awaitable, Gfp, Task } from "@blkstack/task";

/** What `Shrinker.scan` answers to be left alone until the next time memory is short. */
export const SHRINK_STOP = -1;

/**
 * A cache that gives memory back when it is short. `gfp` is what the scopes of the allocating task
 * left of its mask: the allocation cannot end before the shrinker answers, so a shrinker that waits
 * makes the allocating task wait, with all the locks that it holds.
 */
export interface Shrinker {
  readonly label: string;
  /** How many objects could be freed; 0: none now. */
  count(gfp: Gfp, task: Task): Awaitable<number>;
  /** Frees up to `amount` objects. How many were freed, or will be soon; or `SHRINK_STOP`. */
  scan(amount: number, gfp: Gfp, task: Task): Awaitable<number>;
}

/** All the caches that are asked when memory is short, in the order in which they came. */
export class ShrinkerRegistry implements Iterable<Shrinker> {
  readonly #shrinkers: Shrinker[] = [];

  get size(): number {
    return this.#shrinkers.length;
  }

  register(shrinker: Shrinker): void {
    this.#shrinkers.push(shrinker);
  }

  /** Harmless when it was not registered. */
  unregister(shrinker: Shrinker): void {
    const index = this.#shrinkers.indexOf(shrinker);
    if (index >= 0) this.#shrinkers.splice(index, 1);
  }

  [Symbol.iterator](): Iterator<Shrinker> {
    return this.#shrinkers[Symbol.iterator]();
  }
}
