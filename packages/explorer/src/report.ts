import type { AuditCount } from "./audits/auditor.ts";
import type { Conditions } from "./conditions.ts";
import type { CrashCounts } from "./crash/crash-ledger.ts";
import type { Finding, FindingKind } from "./finding.ts";
import type { Potential } from "./lockdep/potential.ts";
import type { WaitGraph } from "./render/wait-graph.ts";
import type { Outcome } from "./run.ts";
import type { Bound } from "./strategy.ts";
import type { Trace } from "./trace.ts";

/** What a search has counted. */
export interface Counted {
  readonly runs: number;
  readonly steps: number;
  readonly failingRuns: number;
  /** Distinct states seen; null when states are not compared. */
  readonly states: number | null;
  readonly elapsedMs: number;
}

/** How far a search is. */
export interface Progress extends Counted {
  readonly runsPerSecond: number;
  readonly stepsPerSecond: number;
  /** Null: not asked for. */
  readonly coverage: Coverage | null;
  /**
   * About how many runs are still to come, reckoned from the choices behind as if those ahead had as
   * many alternatives: of the whole search, or of `boundRunning`. Null: it cannot be known.
   */
  readonly runsLeft: number | null;
  /** The bound that the present runs keep to, where one bound comes after the other. */
  readonly boundRunning: Bound | null;
  /** Of a search that was divided: its parts; else null. */
  readonly parts: { readonly done: number; readonly total: number } | null;
}

/** What the runs had of what can differ between schedules. */
export interface Coverage {
  /** Distinct orders of announced steps, two of which differ if the users of some object do. */
  readonly orders: number;
  /** Distinct pairs of actors of which one used an object right after the other. */
  readonly handOffs: number;
}

/** Why a search ended: nothing was left to run, enough was found, its budget, or somebody stopped it. */
export type EndedBy = "all-run" | "found" | "executions" | "seconds" | "stopped";

/** What a search was allowed; null: as much as it takes. */
export interface Limits {
  readonly executions: number | null;
  readonly seconds: number | null;
  readonly stepsMax: number;
  readonly statesMax: number | null;
}

/** What came of a search. */
export interface Report extends Counted {
  readonly scenario: string;
  readonly variant: string;
  readonly strategy: string;
  /** Which strategy, of a portfolio's, first saw a failure or ran everything; null: none did. */
  readonly decidedBy: string | null;
  /** All schedules up to here were run, beside what the counts say; null: not sorted by a measure. */
  readonly boundCompleted: Bound | null;
  /**
   * "found": something is wrong. "proved": every schedule was run, or is equal to one that was, and
   * none is wrong. "not-found": the budget ended first.
   */
  readonly verdict: "found" | "proved" | "not-found";
  readonly kind: FindingKind | null;
  readonly message: string;
  /** Runs that went to their end; the others came to a state that was known already. */
  readonly schedules: number;
  /** Runs in which only a pool's retry after seconds went on from a stall. */
  readonly healedRuns: number;
  /** Runs in which somebody who went round in circles was made to wait for a change. */
  readonly loopingRuns: number;
  /** The run, from 1, in which the first failure was seen; 0: none. */
  readonly foundAtRun: number;
  /** Of the schedule shown: switches away from a task that could have gone on. */
  readonly preemptions: number;
  /** Whether no schedule at all of what is left fails in fewer steps; else it is the shortest of those tried. */
  readonly isShortest: boolean;
  /** Whether all schedules were covered. */
  readonly isComplete: boolean;
  readonly endedBy: EndedBy;
  readonly limits: Limits;
  /** Whether the table of states was full, so that later states were run more than once. */
  readonly isStateTableFull: boolean;
  /** Null: not asked for. */
  readonly coverage: Coverage | null;
  /** What may happen in a run, and so what a proof holds for. */
  readonly conditions: Conditions;
  /** Where the power was cut; null: nowhere, or it was not counted. */
  readonly crash: CrashCounts | null;
  /** Runs repeated to see whether the search is what it is taken for; not counted as `runs`. */
  readonly audited: AuditCount;
  /**
   * What went well in the runs where it was seen, and by its rule need not have: locks in a circle
   * of orders and the like. One that is confirmed is a failure too, of this report or by its line.
   */
  readonly potentials: readonly Potential[];
  /** The whole of it, for people. */
  readonly story: string;
  /** The failing run, to be repeated; null when nothing was found. */
  readonly trace: Trace | null;
  /**
   * The failing run as one line of names, for `replay`; it survives changes of what it does not
   * name. Null when nothing was found, or when a line alone does not repeat it.
   */
  readonly replayLine: string | null;
  /** Who waits for whom at the end of the failing run; null when nobody is stuck. */
  readonly waits: WaitGraph | null;
}

/** What a `Tally` has counted, as plain data. */
export type TallyCounts = Pick<
  Tally,
  "runs" | "steps" | "schedules" | "failingRuns" | "healedRuns" | "loopingRuns" | "runsUntilFound"
>;

/** Counts runs. */
export class Tally {
  runs = 0;
  steps = 0;
  schedules = 0;
  failingRuns = 0;
  healedRuns = 0;
  loopingRuns = 0;
  runsUntilFound = 0;

  add(outcome: Outcome, finding: Finding | null): void {
    this.runs += 1;
    this.steps += outcome.steps;
    if (outcome.stop.why === "quiet") this.schedules += 1;
    if (outcome.world.scheduler.healedStalls > 0) this.healedRuns += 1;
    if (outcome.world.scheduler.loops.hasCut) this.loopingRuns += 1;
    if (finding === null) return;
    this.failingRuns += 1;
    if (this.runsUntilFound === 0) this.runsUntilFound = this.runs;
  }

  /** Goes on from, or adds, what was counted elsewhere, as if those runs came next. */
  addCounts(counts: TallyCounts): void {
    if (this.runsUntilFound === 0 && counts.runsUntilFound > 0) {
      this.runsUntilFound = this.runs + counts.runsUntilFound;
    }
    this.runs += counts.runs;
    this.steps += counts.steps;
    this.schedules += counts.schedules;
    this.failingRuns += counts.failingRuns;
    this.healedRuns += counts.healedRuns;
    this.loopingRuns += counts.loopingRuns;
  }

  get counts(): TallyCounts {
    const { runs, steps, schedules, failingRuns, healedRuns, loopingRuns, runsUntilFound } = this;
    return { runs, steps, schedules, failingRuns, healedRuns, loopingRuns, runsUntilFound };
  }

  /** A run that was led to its failure, which is no schedule of the strategy's. */
  addFailure(): void {
    this.runs += 1;
    this.failingRuns += 1;
    if (this.runsUntilFound === 0) this.runsUntilFound = this.runs;
  }
}
