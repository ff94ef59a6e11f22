import type { Clock } from "@blkstack/task";

const BEGIN = 0;
const END = 1;

/**
 * Asks a clock once for what happens at one moment, for to ask costs more than all else that counting
 * does: the bios of one submission that go down from device to device without waiting begin together, and
 * those that end because the same bio has ended end together.
 */
export class Moment {
  /** Whether an end is being told: those above hear of it before this is over. */
  isEnding = false;
  readonly #clock: Clock;
  #isBegun = false;
  readonly #ms: Float64Array = new Float64Array(2);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Time has passed, or may have: what begins from now on begins later. */
  pass(): void {
    this.#isBegun = false;
  }

  /** When what begins now begins. */
  beginMs(): number {
    const ms = this.#ms;
    if (!this.#isBegun) {
      ms[BEGIN] = this.#clock.nowMs();
      this.#isBegun = true;
    }
    return ms[BEGIN] ?? 0;
  }

  /** When what began at `startMs` and ends now has ended. */
  endMs(startMs: number): number {
    const ms = this.#ms;
    // What began since the end that is being told has its own.
    if (!this.isEnding || (ms[END] ?? 0) < startMs) ms[END] = this.#clock.nowMs();
    return ms[END] ?? 0;
  }
}
