import { wallClockMs } from "./event-loop.ts";

/** How long a search may go on. */
export class Budget {
  readonly #startedMs = wallClockMs();
  readonly #executionsMax: number;
  readonly #secondsMax: number;

  constructor(executionsMax: number, secondsMax: number) {
    this.#executionsMax = executionsMax;
    this.#secondsMax = secondsMax;
  }

  /** Milliseconds of real time since the search began. */
  get elapsedMs(): number {
    return wallClockMs() - this.#startedMs;
  }

  /** Whether no further run may begin after so many. */
  isSpent(runs: number): boolean {
    return runs >= this.#executionsMax;
  }

  /** Reads the clock, which is too slow for every run. */
  isLate(): boolean {
    return this.elapsedMs >= this.#secondsMax * 1000;
  }
}
