import { Attempts } from "./attempts.ts";
import { type Decision, decisionsOf } from "./decisions.ts";
import type { Input } from "./input.ts";
import { type Override, Overridden, overridesOf } from "./overrides.ts";
import { fewestSwitches } from "./relinearise.ts";
import { stretchesOf } from "./replay-line.ts";
import type { RecordedRun, Runner } from "./run.ts";
import { InputShrinker } from "./shrink-input.ts";
import { SoftFollow } from "./soft-follow.ts";
import type { Strategy } from "./strategy.ts";

/** With more of them left, a search looks for a run with fewer; and how long it may take. */
const PREEMPTIONS_ENOUGH = 1;
const SEARCH_RUNS = 300;
const SEARCH_STEPS = [8, 16] as const;
/** A longer run is left as it is. */
const STEPS_MAX = 1_000;
const ROUNDS_MAX = 4;

/** What is left of a failure when everything was taken away that it does not need. */
export interface Shrunk {
  readonly recorded: RecordedRun;
  /** Pairs of steps whose order decides: the other way round the run does not fail so. */
  readonly decisions: readonly Decision[];
}

/**
 * Looks for the smallest input that still fails in the same way, and for the run of it with the
 * fewest preemptions, then the fewest steps. Where the number of steps is known to be the smallest
 * (`keepsSteps`) it does not grow.
 */
export function shrink(
  runner: Runner,
  recorded: RecordedRun,
  keepsSteps: boolean,
): Promise<Shrunk> {
  return new Shrinker(runner, recorded, keepsSteps).run();
}

class Shrinker {
  readonly #attempts: Attempts;
  readonly #keepsSteps: boolean;
  #best: RecordedRun;

  constructor(runner: Runner, recorded: RecordedRun, keepsSteps: boolean) {
    this.#attempts = new Attempts(runner, recorded);
    this.#best = recorded;
    this.#keepsSteps = keepsSteps;
  }

  async run(): Promise<Shrunk> {
    if (this.#best.recorder.steps.length > STEPS_MAX) {
      return { recorded: this.#best, decisions: [] };
    }
    await this.#shrinkInput(Infinity, true);
    await this.#shrinkSchedule();
    // What the tidy schedule does not need is easier to see, but it must stay as tidy.
    if (await this.#shrinkInput(this.#best.recorder.preemptions, false))
      await this.#shrinkSchedule();
    return { recorded: this.#best, decisions: await decisionsOf(this.#attempts, this.#best) };
  }

  async #shrinkInput(preemptionsMax: number, isThorough: boolean): Promise<boolean> {
    const before = this.#best;
    const isAccepted = ({ recorder: { steps, preemptions } }: RecordedRun): boolean =>
      steps.length <= this.#stepsMax && preemptions <= preemptionsMax;
    const how = { isAccepted, isThorough };
    this.#best = await new InputShrinker(this.#attempts, before, how).run();
    return this.#best !== before;
  }

  async #shrinkSchedule(): Promise<void> {
    for (let round = 0; round < ROUNDS_MAX; round += 1) {
      const before = this.#best;
      await this.#dropOverrides();
      const order = fewestSwitches(this.#best.recorder.footprints);
      await this.#try(new SoftFollow(stretchesOf(order)));
      if (this.#best === before) break;
    }
    if (this.#best.recorder.preemptions > PREEMPTIONS_ENOUGH) await this.#searchFewer();
  }

  /** Delta debugging: ever smaller parts of the overrides are left out. */
  async #dropOverrides(): Promise<void> {
    let overrides = overridesOf(this.#best.recorder.footprints);
    let parts = 2;
    while (overrides.length > 0 && !this.#attempts.isSpent) {
      const size = Math.max(1, Math.ceil(overrides.length / parts));
      const smaller = await this.#withoutOnePart(overrides, size);
      if (smaller !== null) {
        overrides = smaller;
        parts = Math.max(2, parts - 1);
      } else if (size === 1) return;
      else parts = Math.min(overrides.length, parts * 2);
    }
  }

  async #withoutOnePart(
    overrides: readonly Override[],
    size: number,
  ): Promise<readonly Override[] | null> {
    for (let start = 0; start < overrides.length; start += size) {
      const rest = overrides.filter((_, index) => index < start || index >= start + size);
      const run = await this.#try(new Overridden(rest));
      if (run !== null) return rest;
    }
    return null;
  }

  /** The run, if it fails in the same way; kept if it is better than the best. */
  async #try(strategy: Strategy): Promise<RecordedRun | null> {
    const run = await this.#attempts.failing(strategy, this.#input);
    if (run !== null && this.#isBetter(run)) this.#best = run;
    return run;
  }

  get #input(): Input {
    return this.#best.input;
  }

  get #stepsMax(): number {
    return this.#keepsSteps ? this.#best.recorder.steps.length : Infinity;
  }

  #isBetter({ recorder: { preemptions, steps, footprints } }: RecordedRun): boolean {
    const best = this.#best.recorder;
    if (steps.length > this.#stepsMax) return false;
    if (preemptions !== best.preemptions) return preemptions < best.preemptions;
    if (steps.length !== best.steps.length) return steps.length < best.steps.length;
    return overridesOf(footprints).length < overridesOf(best.footprints).length;
  }

  /** All schedules with no preemption, then with one, and so on; short ones first, for a while. */
  async #searchFewer(): Promise<void> {
    const most = this.#best.recorder.preemptions;
    for (const bound of Array(most).keys()) {
      for (const stepsMax of SEARCH_STEPS) {
        if (stepsMax > this.#stepsMax) continue;
        const within = { bound, stepsMax, runsMax: SEARCH_RUNS, input: this.#input };
        const found = await this.#attempts.search(within);
        if (found === null) continue;
        if (this.#isBetter(found)) this.#best = found;
        return;
      }
    }
  }
}
