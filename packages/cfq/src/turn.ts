import type { ClientQueue } from "./client-queue.ts";
import type { Jiffies } from "./timing.ts";

/**
 * What a turn costs: the time that it took while others wanted to be served; or all of it, but no more
 * than its slice once a bio of it has ended, as if what comes late at its end were nobody's.
 */
export type ChargePolicy = "used" | "slice";

/** The queue that is being served, since when, and how long it may be. */
export class Turn {
  /** Null: nobody is. */
  queue: ClientQueue | null = null;
  readonly #idleWindow: Jiffies;
  readonly #charge: ChargePolicy;
  #began: Jiffies = 0;
  #allotted: Jiffies = 0;
  /** Since when it has been charged. */
  #chargedSince: Jiffies = 0;
  /** Whether one of its bios has ended since. */
  #wasServed = false;

  constructor(idleWindow: Jiffies, charge: ChargePolicy) {
    this.#idleWindow = idleWindow;
    this.#charge = charge;
  }

  begin(queue: ClientQueue, allotted: Jiffies, now: Jiffies): void {
    this.queue = queue;
    this.#began = now;
    this.#allotted = allotted;
    this.#chargedSince = now;
    this.#wasServed = false;
  }

  end(): void {
    this.queue = null;
  }

  /**
   * Others want to be served now, who did not until now: what was used alone was in nobody's way, and is
   * not charged.
   */
  othersCame(now: Jiffies): void {
    if (this.#charge === "used") this.#chargedSince = now;
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

  /** What the group is charged: at least a tick. */
  chargeAt(now: Jiffies, isAsyncOnly: boolean): Jiffies {
    if (isAsyncOnly) return this.#allotted;
    const used = Math.max(now - this.#chargedSince, 1);
    const isCapped = this.#charge === "slice" && this.#wasServed;
    return isCapped ? Math.min(used, this.#allotted) : used;
  }
}
