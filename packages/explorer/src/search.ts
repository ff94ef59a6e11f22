import { type AuditCount, Auditor, type Complaint } from "./audits/auditor.ts";
import { Budget } from "./budget.ts";
import {
  assertSameSearch,
  type Checkpoint,
  CheckpointError,
  CHECKPOINT_FORMAT,
  CHECKPOINT_VERSION,
} from "./checkpoint.ts";
import { conditionsOf } from "./conditions.ts";
import type { CrashCounts } from "./crash/crash-ledger.ts";
import { countingSteps, CoverageCounter } from "./coverage.ts";
import { letOthersRun, wallClockMs } from "./event-loop.ts";
import type { ExploreOptions } from "./explore-options.ts";
import type { Finding } from "./finding.ts";
import { Judge } from "./lockdep/judge.ts";
import type { Potential } from "./lockdep/potential.ts";
import { type EndedBy, type Limits, type Progress, Tally, type TallyCounts } from "./report.ts";
import { Runner, STEPS_MAX } from "./run.ts";
import { SavedStateError } from "./saved.ts";
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
/** How often a search tells where it stands. */
const CHECKPOINT_MS = 3_000;

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
  readonly limits: Limits;
  readonly endedBy: EndedBy;
  readonly isStateTableFull: boolean;
  /** Whether all schedules were covered. */
  readonly isComplete: boolean;
  /** Whether a failing schedule shorter than the best would have been seen. */
  readonly sawEveryLength: boolean;
  /** What could have gone wrong, by the rules of locks and reserves. */
  readonly potentials: readonly Potential[];
  /** The shortest failure. */
  readonly best: Failure | null;
  /** What the audits found, which takes every proof away. */
  readonly complaint: Complaint | null;
  readonly audited: AuditCount;
  /** Null: the power was not cut, or nobody counted. */
  readonly crash: CrashCounts | null;
}

/** One run after the other, until something is found, all were run, or the budget is spent. */
export class Search {
  readonly runner: Runner;
  readonly #options: ExploreOptions;
  readonly #dedupe: "states" | "none";
  readonly #strategy: Strategy;
  /** As the scheduler sees it. */
  readonly #watched: Strategy;
  readonly #coverage: CoverageCounter | null;
  readonly #states: StateTable | null;
  readonly #judge: Judge | null;
  readonly #tally = new Tally();
  readonly #budget: Budget;
  readonly #auditor: Auditor | null;
  #stepsMax: number;
  #decidedBy: string | null = null;
  #best: Failure | null = null;

  /**
   * Throws a `RangeError` for a variant that is not there, and a `CheckpointError` for a checkpoint
   * of another search, or where none can be made.
   */
  constructor(scenario: Scenario, variant: string, options: ExploreOptions) {
    const { seed = 1, stepsMax = STEPS_MAX, checks } = options;
    const usual = variantOf(scenario, variant);
    const { dedupe = "none" } = { ...usual, ...defined(options.dedupe) };
    const strategy = options.strategy ?? usual.strategy ?? "exhaustive";
    // Who counts all schedules that fail wants them whole.
    const runsToEnd = options.after === "all";
    const { faults, timers } = options;
    const given = { ...(faults && { faults }), ...(timers && { timers }) };
    const conditions = conditionsOf(variantOf(scenario, variant), given);
    const { crash = "each-state" } = options;
    const plan = { scenario, variant, seed, stepsMax, runsToEnd, conditions, crash };
    this.runner = new Runner(checks === undefined ? plan : { ...plan, checks });
    const { audits = {} } = options;
    this.#auditor = audits === "off" ? null : new Auditor(this.runner, audits, seed);
    this.#options = options;
    this.#dedupe = dedupe;
    this.#judge = options.lockdep === false ? null : new Judge(this.runner);
    this.#stepsMax = stepsMax;
    const named = { ...options, dedupe };
    this.#strategy = typeof strategy === "string" ? strategyNamed(strategy, named) : strategy;
    this.#coverage = options.coverage === true ? new CoverageCounter() : null;
    this.#watched =
      this.#coverage === null ? this.#strategy : countingSteps(this.#strategy, this.#coverage);
    const { isExhaustive, boundCompleted } = this.#strategy;
    const isEndless = !isExhaustive && boundCompleted === undefined;
    const isMerging = dedupe === "states" && mayMerge(this.#strategy);
    this.#states = isMerging ? new StateTable(options.statesMax) : null;
    this.#budget = new Budget(options, isEndless ? RANDOM_EXECUTIONS : Infinity);
    if (options.checkpoint !== undefined) this.#assertMayBeSaved();
    if (options.resume !== undefined) this.#resume(options.resume);
  }

  /** What was counted so far. */
  get tally(): TallyCounts {
    return this.#tally.counts;
  }

  async run(): Promise<SearchEnd> {
    const endedBy = await this.#runAll();
    const complaint = this.#auditor?.complaint ?? null;
    const isComplete = endedBy === "all-run" && this.#strategy.isExhaustive && complaint === null;
    if (isComplete) this.#decidedBy ??= this.#running.name;
    const isProved = isComplete && this.#best === null && this.#tally.healedRuns === 0;
    if (endedBy !== "all-run") await this.#options.checkpoint?.save(this.#checkpoint());
    if (!isProved) await this.#confirm();
    const finding = this.#best?.finding ?? null;
    return {
      strategy: this.#strategy.name,
      decidedBy: this.#decidedBy,
      boundCompleted: this.#strategy.boundCompleted ?? null,
      tally: this.#tally,
      progress: this.#progress(),
      limits: this.#budget.limits,
      endedBy,
      isStateTableFull: this.#states?.isFull ?? false,
      isComplete,
      // Equal states may be reached on ways of unequal length, of which one was gone.
      sawEveryLength: isComplete && this.#states === null && this.#strategy.log === undefined,
      potentials: this.#judge?.potentials({ finding, isProved }) ?? [],
      best: this.#best,
      complaint,
      crash: this.runner.crashes.counts,
      audited: this.#auditor?.count ?? { determinism: 0, commutation: 0 },
    };
  }

  async #runAll(): Promise<EndedBy> {
    let untilSteps = SLICE_STEPS;
    let untilMs = wallClockMs() + SLICE_MS;
    let savedMs = wallClockMs();
    this.runner.watch();
    try {
      for (;;) {
        const enough = this.#enough();
        if (enough !== null) return enough;
        if (!this.#strategy.beginRun()) return "all-run";
        await this.#runOne();
        if (this.#tally.steps < untilSteps) continue;
        untilSteps = this.#tally.steps + SLICE_STEPS;
        if (wallClockMs() < untilMs) continue;
        this.runner.unwatch();
        this.#options.onProgress?.(this.#progress());
        if (wallClockMs() >= savedMs + CHECKPOINT_MS) {
          await this.#options.checkpoint?.save(this.#checkpoint());
          savedMs = wallClockMs();
        }
        if (this.#best === null) await this.#confirm();
        await letOthersRun();
        const ended = this.#budget.endedBy();
        if (ended !== null) return ended;
        this.runner.watch();
        untilMs = wallClockMs() + SLICE_MS;
      }
    } finally {
      this.runner.unwatch();
    }
  }

  async #runOne(): Promise<void> {
    const states = mayMerge(this.#strategy) ? this.#states : null;
    const isReduced = states !== null || this.#strategy.log !== undefined;
    const audit = this.#auditor?.draw(this.#watched, isReduced) ?? null;
    const strategy = audit === null ? this.#watched : audit.strategy;
    const lockdep = this.#judge?.watcherOfNextRun() ?? null;
    const stepsMax = this.#stepsMax;
    const outcome = await this.runner.once({ strategy, states, stepsMax, lockdep });
    if (audit !== null) await this.#auditor?.audit(audit, outcome, stepsMax);
    const { finding, steps, stop, world } = outcome;
    // Longer than the schedule that we have already: not what is looked for.
    const isTooLong = stop.why === "too-long" && this.#best !== null && this.#isShortening;
    this.#tally.add(outcome, isTooLong ? null : finding);
    this.#coverage?.runOver(stop.why === "quiet");
    if (finding === null || isTooLong) return;
    if (this.#best !== null && steps >= this.#best.steps) return;
    if (this.#best !== null && finding.kind !== this.#best.finding.kind) return;
    this.#decidedBy ??= this.#running.name;
    this.#best = { taken: world.scheduler.taken, finding, steps };
    if (this.#isShortening) this.#stepsMax = Math.max(1, steps - 1);
  }

  /** Leads runs to where what was learnt of locks would go wrong. */
  async #confirm(): Promise<void> {
    const isLate = (): boolean => this.#budget.endedBy() !== null;
    const failure = await this.#judge?.confirm(this.#best?.finding ?? null, isLate);
    if (!failure) return;
    this.#tally.addFailure();
    this.#decidedBy ??= "lockdep";
    this.#best = failure;
    if (this.#isShortening) this.#stepsMax = Math.max(1, failure.steps - 1);
    // Now that there is something to show, the others can be told beside it.
    await this.#judge?.confirm(failure.finding, isLate);
  }

  /** The strategy, or the part of it, that the present run belongs to. */
  get #running(): Strategy {
    return this.#strategy.member ?? this.#strategy;
  }

  get #isShortening(): boolean {
    return (this.#options.after ?? "shortest") === "shortest";
  }

  #enough(): EndedBy | null {
    const { runs, runsUntilFound } = this.#tally;
    if (this.#budget.isSpent(runs)) return "executions";
    if (this.#options.after === "all") return null;
    if (this.#best === null) return this.#auditor?.complaint ? "found" : null;
    if (this.#options.after === "first") return "found";
    return runs - runsUntilFound >= Math.max(SHORTEN_RUNS, runsUntilFound) ? "found" : null;
  }

  #progress(): Progress {
    const { elapsedMs } = this.#budget;
    const { runs, steps, failingRuns } = this.#tally;
    const seconds = Math.max(elapsedMs, 1) / 1000;
    return {
      ...{ runs, steps, failingRuns, elapsedMs },
      states: this.#states?.stateCount ?? null,
      runsPerSecond: runs / seconds,
      stepsPerSecond: steps / seconds,
      coverage: this.#coverage?.coverage ?? null,
      runsLeft: this.#runsLeft(),
      boundRunning: this.#strategy.boundRunning ?? null,
      parts: null,
    };
  }

  /** All that were run so far are to all as the share behind is to 1. */
  #runsLeft(): number | null {
    const share = this.#strategy.share ?? null;
    if (share === null || share === 0) return null;
    return Math.round((this.#tally.runs * (1 - share)) / share);
  }

  #checkpoint(): Checkpoint {
    return {
      format: CHECKPOINT_FORMAT,
      version: CHECKPOINT_VERSION,
      ...this.#identity,
      tally: this.#tally.counts,
      elapsedMs: this.#budget.elapsedMs,
      stepsMax: this.#stepsMax,
      decidedBy: this.#decidedBy,
      best: this.#best,
      state: this.#strategy.save?.(),
    };
  }

  /** What tells this search from others whose checkpoints do not fit. */
  get #identity(): Pick<Checkpoint, "scenario" | "variant" | "options"> {
    const { scenario, variant, seed, stepsMax } = this.runner.plan;
    const conditions = JSON.stringify(this.runner.conditions);
    const { depth = null, bound = null, after = "shortest" } = this.#options;
    const strategy = this.#strategy.name;
    const told = { strategy, seed, depth, bound, stepsMax, after, conditions };
    const options = { ...told, dedupe: this.#dedupe };
    return { scenario: scenario.name, variant, options };
  }

  #assertMayBeSaved(): void {
    if (this.#states !== null) {
      throw new CheckpointError(
        'a checkpoint does not keep the table of states: explore with dedupe "none" or by "dpor"',
      );
    }
    if (this.#strategy.save === undefined || this.#strategy.restore === undefined) {
      throw new CheckpointError(`the strategy "${this.#strategy.name}" makes no checkpoints`);
    }
  }

  #resume(from: Checkpoint): void {
    this.#assertMayBeSaved();
    assertSameSearch(from, this.#identity);
    try {
      this.#strategy.restore?.(from.state);
    } catch (error) {
      if (!(error instanceof SavedStateError)) throw error;
      throw new CheckpointError(`not a checkpoint: ${error.message}`, { cause: error });
    }
    this.#tally.addCounts(from.tally);
    this.#budget.resumeAfter(from.elapsedMs);
    this.#stepsMax = from.stepsMax;
    this.#decidedBy = from.decidedBy;
    this.#best = from.best;
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
