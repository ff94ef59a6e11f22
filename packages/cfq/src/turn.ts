import type { ClientQueue } from "./client-queue.ts";
import type { Jiffies } from "./timing.ts";

/** The queue that is being served, since when, and how long it may be. */
export class Turn {
  /** Null: nobody is. */
  queue: ClientQueue | null = null;
  readonly #idleWindow: Jiffies;
  #began: Jiffies = 0;
  #allotted: Jiffies = 0;
  /** Whether one of its bios has ended since. */
  #wasServed = false;

  constructor(idleWindow: Jiffies) {
    this.#idleWindow = idleWindow;
  }

  begin(queue: ClientQueue, allotted: Jiffies, now: Jiffies): void {
    this.queue = queue;
    this.#began = now;
    this.#allotted = allotted;
    this.#wasServed = false;
  }

  end(): void {
    this.queue = null;
  }

  bioEnded(): void {
    this.#wasServed = true;
  }

  /** When it is over as long as the queue has bios that wait. */
  get sliceEnd(): Jiffies {
    return this.#began + this.#allotted;
  }

  /**
   * When it is over if no bio comes. The last queue of a group is waited for beyond its slice: a
   * group that leaves with none has to begin behind all others, and who sends one bio at a time
   * has none at the end of most slices.
   */
  emptyEnd(queue: ClientQueue, isLastOfGroup: boolean): Jiffies {
    if (queue.inFlight > 0) return this.sliceEnd + (isLastOfGroup ? this.#idleWindow : 0);
    // Most often it would be waited for in vain.
    if (queue.thinkTicks > this.#idleWindow) return queue.emptySince;
    const end = queue.emptySince + this.#idleWindow;
    return isLastOfGroup ? end : Math.min(end, this.sliceEnd);
  }

  /** What the group is charged: at least a tick, and no more than its slice once it was served. */
  chargeAt(now: Jiffies, isAsyncOnly: boolean): Jiffies {
    if (isAsyncOnly) return this.#allotted;
    const used = Math.max(now - this.#began, 1);
    return this.#wasServed ? Math.min(used, this.#allotted) : used;
  }
}
