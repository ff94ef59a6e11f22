import type { Attempts } from "./attempts.ts";
import { type Amount, type Input, WHOLE } from "./input.ts";
import { Overridden, overridesOf } from "./overrides.ts";
import { stretchesOf } from "./replay-line.ts";
import { wordOf } from "./word-of.ts";
import type { RecordedRun } from "./run.ts";
import { SoftFollow } from "./soft-follow.ts";
import { random, type Strategy } from "./strategy.ts";

/** Random walks that may show that a smaller input does not always fail. */
const WALKS = 7;
/** For each number of preemptions, when a smaller amount leaves a schedule that does not fit. */
const SEARCH_RUNS = 40;
/** Of each amount. */
const AMOUNTS_TRIED = 4;

export interface HowToShrinkInput {
  /** Whether a run that fails with less input is good enough to go on with. */
  readonly isAccepted: (run: RecordedRun) => boolean;
  /** Whether to look for other schedules where the one at hand does not fit a smaller input. */
  readonly isThorough: boolean;
}

/**
 * Takes away what a failure does not need: tasks of the scenario, then parts of its amounts.
 *
 * An input that fails whatever the order, where the whole one does not, is another failure: the one
 * who was left out was needed, as the waker is whom a sleeper waits for. It is not accepted.
 */
export class InputShrinker {
  readonly #attempts: Attempts;
  readonly #isAccepted: (run: RecordedRun) => boolean;
  readonly #isThorough: boolean;
  #canWholeEndWell: Promise<boolean> | null = null;
  #best: RecordedRun;

  constructor(attempts: Attempts, failing: RecordedRun, how: HowToShrinkInput) {
    this.#attempts = attempts;
    this.#best = failing;
    this.#isAccepted = how.isAccepted;
    this.#isThorough = how.isThorough;
  }

  async run(): Promise<RecordedRun> {
    await this.#dropTasks();
    for (const amount of this.#best.outcome.world.amounts) await this.#lower(amount);
    return this.#best;
  }

  /** Half of the tasks at once, then a quarter, down to each by itself; the youngest first. */
  async #dropTasks(): Promise<void> {
    const words = this.#best.outcome.world.scheduler.tasks
      .filter(({ isService }) => !isService)
      .map(wordOf)
      .reverse();
    for (let size = Math.ceil(words.length / 2); size >= 1; size = Math.floor(size / 2)) {
      for (let start = 0; start < words.length && words.length > 1;) {
        const { input } = this.#best;
        const without = [...input.without, ...words.slice(start, start + size)];
        if (await this.#isEnough({ ...input, without }, false)) words.splice(start, size);
        else start += size;
        if (this.#attempts.isSpent) return;
      }
    }
  }

  async #lower({ name, given, least }: Amount): Promise<void> {
    const word = wordOf({ name });
    for (let less = least; less < Math.min(given, least + AMOUNTS_TRIED); less += 1) {
      const { input } = this.#best;
      const amounts = { ...input.amounts, [word]: less };
      if (this.#attempts.isSpent || (await this.#isEnough({ ...input, amounts }, true))) return;
    }
  }

  async #isEnough(input: Input, isSearching: boolean): Promise<boolean> {
    const run = await this.#failing(input, isSearching);
    if (run === null || !this.#isAccepted(run)) return false;
    this.#canWholeEndWell ??= this.#attempts.canEndWell(fewRuns(), WHOLE);
    if (await this.#canWholeEndWell) {
      if (!(await this.#attempts.canEndWell(fewRuns(), input))) return false;
    }
    this.#best = run;
    return true;
  }

  async #failing(input: Input, isSearching: boolean): Promise<RecordedRun | null> {
    const { footprints, preemptions, steps } = this.#best.recorder;
    const followed = await this.#attempts.failing(new SoftFollow(stretchesOf(footprints)), input);
    if (followed !== null || !this.#isThorough) return followed;
    const byItself = await this.#attempts.failing(new Overridden(overridesOf(footprints)), input);
    if (byItself !== null || !isSearching) return byItself;
    for (let bound = 0; bound <= preemptions; bound += 1) {
      const within = { bound, stepsMax: steps.length, runsMax: SEARCH_RUNS, input };
      const found = await this.#attempts.search(within);
      if (found !== null) return found;
    }
    return null;
  }
}

function* fewRuns(): Iterable<Strategy> {
  yield new Overridden([]);
  for (let seed = 1; seed <= WALKS; seed += 1) yield random(seed);
}
