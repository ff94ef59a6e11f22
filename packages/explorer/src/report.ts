import type { Finding, FindingKind } from "./finding.ts";
import type { WaitGraph } from "./render/wait-graph.ts";
import type { Outcome } from "./run.ts";
import type { Bound } from "./strategy.ts";
import type { Trace } from "./trace.ts";

/** How far a search is. */
export interface Progress {
  readonly runs: number;
  readonly steps: number;
  readonly failingRuns: number;
  /** Distinct states seen; null when states are not compared. */
  readonly states: number | null;
  readonly elapsedMs: number;
}

/** What came of a search. */
export interface Report extends Progress {
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
  /** The run, from 1, in which the first failure was seen; 0: none. */
  readonly foundAtRun: number;
  /** Of the schedule shown: switches away from a task that could have gone on. */
  readonly preemptions: number;
  /** Whether no schedule at all fails in fewer steps; else it is the shortest of those tried. */
  readonly isShortest: boolean;
  /** Whether all schedules were covered. */
  readonly isComplete: boolean;
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

/** Counts runs. */
export class Tally {
  runs = 0;
  steps = 0;
  schedules = 0;
  failingRuns = 0;
  healedRuns = 0;
  runsUntilFound = 0;

  add(outcome: Outcome, finding: Finding | null): void {
    this.runs += 1;
    this.steps += outcome.steps;
    if (outcome.stop.why === "quiet") this.schedules += 1;
    if (outcome.world.scheduler.healedStalls > 0) this.healedRuns += 1;
    if (finding === null) return;
    this.failingRuns += 1;
    if (this.runsUntilFound === 0) this.runsUntilFound = this.runs;
  }
}
