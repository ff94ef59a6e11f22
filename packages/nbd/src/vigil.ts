import { availableParallelism } from "node:os";
import { setImmediate } from "node:timers";
import type { Clock } from "@blkstack/task";

/** How many times in a row nobody may be waited for, after vigils in vain. */
const SKIPS_MAX = 64;
/** Every vigil ends with a wait for nobody: so many must have come before that it was worth it. */
const WORTHY_VISITS = 4;

/**
 * Keeps the event loop from going to sleep for a moment after a client was heard: the next request
 * mostly comes at once, and to be woken for it takes longer than to wait. Where it mostly does not,
 * only a few vigils are tried, so that clients who take their time cost next to nothing.
 */
export class Vigil {
  readonly #clock: Clock;
  readonly #lengthMs: number;
  /** One number that changes all the time, where that makes no garbage. */
  readonly #endMs: Float64Array = new Float64Array(1);
  #isKept = false;
  /** How many came during this one. */
  #visits = 0;
  #skipsAfterNext = 1;
  #skips = 0;
  readonly #watch = (): void => {
    if (this.#clock.nowMs() < (this.#endMs[0] ?? 0)) setImmediate(this.#watch);
    else this.#end();
  };

  /** `lengthUs`: 0: never. With a single processor it would be taken from the client: never, too. */
  constructor(clock: Clock, lengthUs: number, processors: number = availableParallelism()) {
    this.#clock = clock;
    this.#lengthMs = processors > 1 ? lengthUs / 1000 : 0;
  }

  /** Somebody said something. Waits: never. */
  heard(): void {
    if (this.#isKept) this.#visits += 1;
    else if (this.#lengthMs === 0) return;
    else if (this.#skips > 0) {
      this.#skips -= 1;
      return;
    } else {
      this.#isKept = true;
      this.#visits = 0;
      setImmediate(this.#watch);
    }
    this.#endMs[0] = this.#clock.nowMs() + this.#lengthMs;
  }

  #end(): void {
    this.#isKept = false;
    if (this.#visits >= WORTHY_VISITS) this.#skipsAfterNext = 1;
    else {
      this.#skips = this.#skipsAfterNext;
      this.#skipsAfterNext = Math.min(2 * this.#skipsAfterNext, SKIPS_MAX);
    }
  }
}
