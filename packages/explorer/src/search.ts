import { Budget } from "./budget.ts";
import { letOthersRun, wallClockMs } from "./event-loop.ts";
import type { ExploreOptions } from "./explore-options.ts";
import type { Finding } from "./finding.ts";
import { type Progress, Tally } from "./report.ts";
import { Runner, STEPS_MAX } from "./run.ts";
import { type Scenario, variantOf } from "./scenario.ts";
import { StateTable } from "./state-table.ts";
import { strategyNamed } from "./strategies/named.ts";
import type { Bound, Strategy } from "./strategy.ts";

const RANDOM_EXECUTIONS = 10_000;
/** How long the search for a shorter schedule may take: at least this many runs, or as many as before. */
const SHORTEN_RUNS = 5_000;
/** How long explored code may keep the process to itself. */
const SLICE_MS = 100;
/** The clock is read every so many steps. */
const SLICE_STEPS = 5_000;

/** A run that failed, as the choices that repeat it. */
export interface Failure {
  readonly taken: readonly number[];
  readonly finding: Finding;
  readonly steps: number;
}

/** What a search has come to, before anything is made of it for people. */
export interface SearchEnd {
  readonly strategy: string;
  /** The strategy, or the part of it, that first saw a failure or ran everything. */
  readonly decidedBy: string | null;
  readonly boundCompleted: Bound | null;
  readonly tally: Tally;
  readonly progress: Progress;
  /** Whether all schedules were covered. */
  readonly isComplete: boolean;
  /** Whether a failing schedule shorter than the best would have been seen. */
  readonly sawEveryLength: boolean;
  /** The shortest failure. */
  readonly best: Failure | null;
}

/** One run after the other, until something is found, all were run, or the budget is spent. */
export class Search {
  readonly runner: Runner;
  readonly #options: ExploreOptions;
  readonly #strategy: Strategy;
  readonly #states: StateTable | null;
  readonly #tally = new Tally();
  readonly #budget: Budget;
  #stepsMax: number;
  #decidedBy: string | null = null;
  #best: Failure | null = null;

  /** Throws a `RangeError` for a variant that is not there. */
  constructor(scenario: Scenario, variant: string, options: ExploreOptions) {
    const { seed = 1, stepsMax = STEPS_MAX, strategy = "exhaustive", checks } = options;
    const { dedupe = "none" } = { ...variantOf(scenario, variant), ...defined(options.dedupe) };
    // Who counts all schedules that fail wants them whole.
    const runsToEnd = options.after === "all";
    const plan = { scenario, variant, seed, stepsMax, runsToEnd };
    this.runner = new Runner(checks === undefined ? plan : { ...plan, checks });
    this.#options = options;
    this.#stepsMax = stepsMax;
    const named = { ...options, dedupe };
    this.#strategy = typeof strategy === "string" ? strategyNamed(strategy, named) : strategy;
    const { isExhaustive, boundCompleted } = this.#strategy;
    const isEndless = !isExhaustive && boundCompleted === undefined;
    const isMerging = dedupe === "states" && mayMerge(this.#strategy);
    this.#states = isMerging ? new StateTable() : null;
    const executionsMax = options.executions ?? (isEndless ? RANDOM_EXECUTIONS : Infinity);
    this.#budget = new Budget(executionsMax, options.seconds ?? Infinity);
  }

  async run(): Promise<SearchEnd> {
    const isExhausted = await this.#runAll();
    const isComplete = isExhausted && this.#strategy.isExhaustive;
    if (isComplete) this.#decidedBy ??= this.#running.name;
    return {
      strategy: this.#strategy.name,
      decidedBy: this.#decidedBy,
      boundCompleted: this.#strategy.boundCompleted ?? null,
      tally: this.#tally,
      progress: this.#progress(),
      isComplete,
      // Equal states may be reached on ways of unequal length, of which one was gone.
      sawEveryLength: isComplete && this.#states === null && this.#strategy.log === undefined,
      best: this.#best,
    };
  }

  /** Whether the strategy had no more schedules. */
  async #runAll(): Promise<boolean> {
    let untilSteps = SLICE_STEPS;
    let untilMs = wallClockMs() + SLICE_MS;
    this.runner.watch();
    try {
      while (!this.#isEnough()) {
        if (!this.#strategy.beginRun()) return true;
        await this.#runOne();
        if (this.#tally.steps < untilSteps) continue;
        untilSteps = this.#tally.steps + SLICE_STEPS;
        if (wallClockMs() < untilMs) continue;
        this.runner.unwatch();
        this.#options.onProgress?.(this.#progress());
        if (this.#budget.isLate()) return false;
        await letOthersRun();
        this.runner.watch();
        untilMs = wallClockMs() + SLICE_MS;
      }
      return false;
    } finally {
      this.runner.unwatch();
    }
  }

  async #runOne(): Promise<void> {
    const outcome = await this.runner.once({
      strategy: this.#strategy,
      states: mayMerge(this.#strategy) ? this.#states : null,
      stepsMax: this.#stepsMax,
    });
    const { finding, steps, stop, world } = outcome;
    // Longer than the schedule that we have already: not what is looked for.
    const isTooLong = stop.why === "too-long" && this.#best !== null && this.#isShortening;
    this.#tally.add(outcome, isTooLong ? null : finding);
    if (finding === null || isTooLong) return;
    if (this.#best !== null && steps >= this.#best.steps) return;
    if (this.#best !== null && finding.kind !== this.#best.finding.kind) return;
    this.#decidedBy ??= this.#running.name;
    this.#best = { taken: world.scheduler.taken, finding, steps };
    if (this.#isShortening) this.#stepsMax = Math.max(1, steps - 1);
  }

  /** The strategy, or the part of it, that the present run belongs to. */
  get #running(): Strategy {
    return this.#strategy.member ?? this.#strategy;
  }

  get #isShortening(): boolean {
    return (this.#options.after ?? "shortest") === "shortest";
  }

  #isEnough(): boolean {
    const { runs, runsUntilFound } = this.#tally;
    if (this.#budget.isSpent(runs)) return true;
    if (this.#best === null || this.#options.after === "all") return false;
    if (this.#options.after === "first") return true;
    return runs - runsUntilFound >= Math.max(SHORTEN_RUNS, runsUntilFound);
  }

  #progress(): Progress {
    const { elapsedMs } = this.#budget;
    const { runs, steps, failingRuns } = this.#tally;
    return { runs, steps, failingRuns, elapsedMs, states: this.#states?.stateCount ?? null };
  }
}

/**
 * What reduction leaves out, a state that was seen may be the only one to lead to; and who does not
 * mean to see all must not mark states as seen for one who does.
 */
function mayMerge({ isExhaustive, log }: Strategy): boolean {
  return isExhaustive && log === undefined;
}

function defined(dedupe: ExploreOptions["dedupe"]): { dedupe?: "states" | "none" } {
  return dedupe === undefined ? {} : { dedupe };
}
