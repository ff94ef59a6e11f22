import type { Recorder } from "./recorder.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** Whole periods of the slowest retry timer that must pass without a change. */
const RETRY_PERIODS = 2;

/**
 * Tells a stall from a pause. A sleeper of a pool asks again every few seconds, so a deadlocked
 * stack is never without a timer; but when only such timers are left, and nothing has changed after
 * each of them asked twice, nothing ever will.
 *
 * While this goes on nobody chooses: the first one enabled runs, and what failed fails again.
 */
export class StallProbe {
  /** How often a retry did change something. */
  healed = 0;
  /** How many steps the story had when everything stood still. */
  stepsBefore = 0;
  readonly #time: VirtualTime;
  readonly #fingerprint: () => string;
  #before: string | null = null;
  #untilMs = 0;

  constructor(time: VirtualTime, fingerprint: () => string) {
    this.#time = time;
    this.#fingerprint = fingerprint;
  }

  get isRunning(): boolean {
    return this.#before !== null;
  }

  /** Called when nobody can take a step. False: this is the end; the retries are unsaid. */
  mayGoOn(recorder: Recorder | null, steps: number): boolean {
    const before = this.#before;
    if (before !== null) {
      const isChanged = this.#fingerprint() !== before;
      if (!isChanged && this.#time.nowMs() < this.#untilMs) return true;
      this.#before = null;
      if (!isChanged) {
        recorder?.forgetAfterMark();
        return false;
      }
      recorder?.keepAfterMark();
      this.healed += 1;
    }
    this.stepsBefore = steps;
    if (this.#time.armed.length === 0) return false;
    if (this.#time.hasHope) return true;
    recorder?.mark();
    this.#before = this.#fingerprint();
    this.#untilMs = this.#time.nowMs() + RETRY_PERIODS * this.#time.longestDelayMs;
    return true;
  }
}
