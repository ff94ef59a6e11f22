import type { Shrinker } from "@blkstack/memory";
import { type Awaitable, type Gfp, isPending, type Task } from "@blkstack/task";
import type { Tally } from "./counters.ts";

/** Counts what a shrinker is asked for, and what it gives or promises. */
export class CountedShrinker implements Shrinker {
  readonly label: string;
  readonly #shrinker: Shrinker;
  readonly #tally: Tally;

  constructor(shrinker: Shrinker, tally: Tally) {
    this.label = shrinker.label;
    this.#shrinker = shrinker;
    this.#tally = tally;
  }

  count(gfp: Gfp, task: Task): Awaitable<number> {
    return this.#shrinker.count(gfp, task);
  }

  scan(amount: number, gfp: Gfp, task: Task): Awaitable<number> {
    this.#tally.shrinksAsked += 1;
    const freed = this.#shrinker.scan(amount, gfp, task);
    return isPending(freed) ? freed.then((late) => this.#note(late)) : this.#note(freed);
  }

  #note(freed: number): number {
    if (freed > 0) this.#tally.shrinksPromised += freed;
    return freed;
  }
}
