import { type Check } from "./check.ts";
import { letOthersRun, wallClockMs } from "./event-loop.ts";
import { failingRun, waitsOf } from "./failing-run.ts";
import type { Finding } from "./finding.ts";
import { type Outcome, Runner, STEPS_MAX } from "./run.ts";
import type { Scenario, Variant } from "./scenario.ts";
import { type Progress, type Report, Tally } from "./report.ts";
import { StateTable } from "./state-table.ts";
import { tellStory } from "./story.ts";
import { type StrategyName, strategyNamed } from "./strategies/named.ts";
import type { Strategy } from "./strategy.ts";
import { makeTrace } from "./trace.ts";

export interface ExploreOptions {
  /** Default "exhaustive". */
  readonly strategy?: StrategyName | Strategy;
  /** Of the strategies that draw lots, and of the scenario's own `random`. Default 1. */
  readonly seed?: number;
  /** Of "pct": how many orders of two steps a failure takes. Default 3. */
  readonly depth?: number;
  /** Of "preemptions" and "delays": no more of them in one run. Default: 0, then 1, and so on. */
  readonly bound?: number;
  /** Runs at most. Default: no limit for a search that can end by itself, else 10 000. */
  readonly executions?: number;
  /** Seconds of real time at most. Default: no limit. */
  readonly seconds?: number;
  /** Steps of one run beyond which it is called a livelock. Default 10 000. */
  readonly stepsMax?: number;
  /**
   * What to do once something was found: look for a shorter schedule for a while ("shortest", the
   * default), stop ("first"), or count how many schedules fail ("all").
   */
  readonly after?: "shortest" | "first" | "all";
  /** Do not run twice from states that cannot be told apart. Default: as the variant says. */
  readonly dedupe?: "states" | "none";
  /** Default: all that the explorer has. */
  readonly checks?: readonly Check[];
  /** Called a few times a second. */
  readonly onProgress?: (progress: Progress) => void;
}

const RANDOM_EXECUTIONS = 10_000;
/** How long the search for a shorter schedule may take: at least this many runs, or as many as before. */
const SHORTEN_RUNS = 5_000;
/** How long explored code may keep the process to itself. */
const SLICE_MS = 100;
/** The clock is read every so many steps. */
const SLICE_STEPS = 5_000;

/** Throws when a scenario has no variant of this name, naming those that it has. */
export function variantOf(scenario: Scenario, variant: string): Variant {
  const found = scenario.variants[variant];
  if (found !== undefined) return found;
  const names = Object.keys(scenario.variants).join(", ");
  throw new RangeError(`scenario "${scenario.name}" has no variant "${variant}"; it has ${names}`);
}

/**
 * Runs a scenario under one schedule after the other, until something is found, all were run, or
 * the budget is spent. Throws what the scenario's `build` throws.
 */
export function explore(
  scenario: Scenario,
  variant: string,
  options: ExploreOptions = {},
): Promise<Report> {
  return new Search(scenario, variant, options).run();
}

class Search {
  readonly #runner: Runner;
  readonly #options: ExploreOptions;
  readonly #strategy: Strategy;
  readonly #states: StateTable | null;
  readonly #tally = new Tally();
  readonly #startedMs = wallClockMs();
  readonly #executionsMax: number;
  #stepsMax: number;
  #decidedBy: string | null = null;
  #best: { taken: readonly number[]; finding: Finding; outcome: Outcome } | null = null;

  constructor(scenario: Scenario, variant: string, options: ExploreOptions) {
    const { seed = 1, stepsMax = STEPS_MAX, strategy = "exhaustive", checks } = options;
    const { dedupe = "none" } = { ...variantOf(scenario, variant), ...defined(options.dedupe) };
    const plan = { scenario, variant, seed, stepsMax };
    this.#runner = new Runner(checks === undefined ? plan : { ...plan, checks });
    this.#options = options;
    this.#stepsMax = stepsMax;
    const named = { ...options, dedupe };
    this.#strategy = typeof strategy === "string" ? strategyNamed(strategy, named) : strategy;
    const { isExhaustive, boundCompleted } = this.#strategy;
    const isEndless = !isExhaustive && boundCompleted === undefined;
    const isMerging = dedupe === "states" && mayMerge(this.#strategy);
    this.#states = isMerging ? new StateTable() : null;
    this.#executionsMax = options.executions ?? (isEndless ? RANDOM_EXECUTIONS : Infinity);
  }

  async run(): Promise<Report> {
    const isExhausted = await this.#runAll();
    const isComplete = isExhausted && this.#strategy.isExhaustive;
    if (isComplete) this.#decidedBy ??= this.#running.name;
    return this.#report(isComplete);
  }

  /** Whether the strategy had no more schedules. */
  async #runAll(): Promise<boolean> {
    let untilSteps = SLICE_STEPS;
    let untilMs = wallClockMs() + SLICE_MS;
    this.#runner.watch();
    try {
      while (!this.#isEnough()) {
        if (!this.#strategy.beginRun()) return true;
        await this.#runOne();
        if (this.#tally.steps < untilSteps) continue;
        untilSteps = this.#tally.steps + SLICE_STEPS;
        if (wallClockMs() < untilMs) continue;
        this.#runner.unwatch();
        this.#options.onProgress?.(this.#progress());
        if (this.#isLate()) return false;
        await letOthersRun();
        this.#runner.watch();
        untilMs = wallClockMs() + SLICE_MS;
      }
      return false;
    } finally {
      this.#runner.unwatch();
    }
  }

  async #runOne(): Promise<void> {
    const outcome = await this.#runner.once({
      strategy: this.#strategy,
      states: mayMerge(this.#strategy) ? this.#states : null,
      stepsMax: this.#stepsMax,
    });
    const { finding, steps, stop, world } = outcome;
    // Longer than the schedule that we have already: not what is looked for.
    const isTooLong = stop.why === "too-long" && this.#best !== null && this.#isShortening;
    this.#tally.add(outcome, isTooLong ? null : finding);
    if (finding === null || isTooLong) return;
    if (this.#best !== null && steps >= this.#best.outcome.steps) return;
    if (this.#best !== null && finding.kind !== this.#best.finding.kind) return;
    this.#decidedBy ??= this.#running.name;
    this.#best = { taken: world.scheduler.taken, finding, outcome };
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
    if (runs >= this.#executionsMax) return true;
    if (this.#best === null || this.#options.after === "all") return false;
    if (this.#options.after === "first") return true;
    return runs - runsUntilFound >= Math.max(SHORTEN_RUNS, runsUntilFound);
  }

  #isLate(): boolean {
    const { seconds = Infinity } = this.#options;
    return wallClockMs() - this.#startedMs >= seconds * 1000;
  }

  #progress(): Progress {
    const elapsedMs = wallClockMs() - this.#startedMs;
    const { runs, steps, failingRuns } = this.#tally;
    return { runs, steps, failingRuns, elapsedMs, states: this.#states?.stateCount ?? null };
  }

  async #report(isComplete: boolean): Promise<Report> {
    const { scenario, variant } = this.#runner.plan;
    const { schedules, healedRuns, runsUntilFound } = this.#tally;
    const counted = {
      ...this.#progress(),
      scenario: scenario.name,
      variant,
      strategy: this.#strategy.name,
      decidedBy: this.#decidedBy,
      boundCompleted: this.#strategy.boundCompleted ?? null,
      schedules,
      healedRuns,
      isComplete,
    };
    if (this.#best === null) {
      // A retry that helped was not explored further, so nothing is proved then.
      const verdict = isComplete && healedRuns === 0 ? "proved" : "not-found";
      const report = { ...counted, verdict, kind: null, message: "" } as const;
      return {
        ...report,
        foundAtRun: 0,
        preemptions: 0,
        isShortest: false,
        trace: null,
        replayLine: null,
        waits: null,
        story: tellStory(report),
      };
    }
    // Equal states may be reached on ways of unequal length, of which one was gone.
    const isShortest = isComplete && this.#states === null && this.#strategy.log === undefined;
    const failing = await failingRun(this.#runner, this.#best, isShortest);
    const { recorded, finding, replayLine } = failing;
    const report = {
      ...counted,
      verdict: "found",
      kind: finding.kind,
      message: finding.message,
      foundAtRun: runsUntilFound,
      preemptions: recorded.recorder.preemptions,
      isShortest,
      trace: makeTrace(this.#runner.plan, finding, recorded.recorder),
      replayLine,
      waits: waitsOf(this.#runner, recorded),
    } as const;
    const { vocabularies } = this.#runner;
    const story = tellStory(report, { ...recorded, decisions: failing.decisions, vocabularies });
    return { ...report, story };
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
