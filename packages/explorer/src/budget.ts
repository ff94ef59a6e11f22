import { wallClockMs } from "./event-loop.ts";
import type { ExploreOptions } from "./explore-options.ts";
import type { EndedBy, Limits } from "./report.ts";
import { STEPS_MAX } from "./run.ts";

/** How long a search may go on, and what has ended it. */
export class Budget {
  readonly limits: Limits;
  readonly #startedMs = wallClockMs();
  readonly #signal: AbortSignal | undefined;
  /** What was spent before, by the search that this one goes on with. */
  #earlierMs = 0;

  constructor(options: ExploreOptions, executionsDefault: number) {
    const { executions, seconds, stepsMax = STEPS_MAX, statesMax } = options;
    const runsMax = executions ?? executionsDefault;
    this.limits = {
      executions: runsMax === Infinity ? null : runsMax,
      seconds: seconds ?? null,
      stepsMax,
      statesMax: statesMax ?? null,
    };
    this.#signal = options.signal;
  }

  /** Milliseconds of real time since the search began. */
  get elapsedMs(): number {
    return this.#earlierMs + wallClockMs() - this.#startedMs;
  }

  resumeAfter(earlierMs: number): void {
    this.#earlierMs = earlierMs;
  }

  /** Whether no further run may begin after so many. */
  isSpent(runs: number): boolean {
    return this.limits.executions !== null && runs >= this.limits.executions;
  }

  /** What ends the search between two runs; null: nothing. Reads the clock, which is slow. */
  endedBy(): EndedBy | null {
    if (this.#signal?.aborted === true) return "stopped";
    const { seconds } = this.limits;
    return seconds !== null && this.elapsedMs >= seconds * 1000 ? "seconds" : null;
  }
}
