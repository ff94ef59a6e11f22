import type { AuditRates } from "./audits/auditor.ts";
import type { Checkpoint, CheckpointStore } from "./checkpoint.ts";
import type { Check } from "./check.ts";
import type { FaultBudget, TimerModel } from "./conditions.ts";
import type { Progress } from "./report.ts";
import type { StrategyName } from "./strategies/named.ts";
import type { StoryLength } from "./story.ts";
import type { Strategy } from "./strategy.ts";

export interface ExploreOptions {
  /** Default: as the variant says, else "exhaustive". */
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
  /**
   * Whether the power is cut, in thought, in each state of the disks, where the scenario says what
   * must hold then. Default: "each-state".
   */
  readonly crash?: "each-state" | "off";
  /** What may go wrong in a run, as a choice. Default: as the variant says, else nothing. */
  readonly faults?: FaultBudget;
  /** When timers fire. Default: as the variant says, else "when-idle". */
  readonly timers?: TimerModel;
  /** Do not run twice from states that cannot be told apart. Default: as the variant says. */
  readonly dedupe?: "states" | "none";
  /**
   * Repeats a part of the runs: as they were, and with steps that should not matter to each other
   * in the other order. What comes of that is not part of the counts of runs.
   */
  readonly audits?: AuditRates | "off";
  /** Default: all that the explorer has. */
  readonly checks?: readonly Check[];
  /** States kept at most; those beyond are run again each time. Default: as many as there are. */
  readonly statesMax?: number;
  /** Ends the search when it is aborted, between two runs; the report says "stopped". */
  readonly signal?: AbortSignal;
  /** Count what the runs differ in. Takes time in every step. Default: false. */
  readonly coverage?: boolean;
  /** Told every few seconds, and when the search ends early, where it stands. */
  readonly checkpoint?: CheckpointStore;
  /** Goes on where another search of the same scenario, variant and options stood. */
  readonly resume?: Checkpoint;
  /** Tell every step of a failing run, also those that do not matter for it. Default: "short". */
  readonly story?: StoryLength;
  /**
   * Whether to learn from all runs, also those that go well, in which orders locks are taken and
   * memory is asked for, and to report what could have gone wrong. Default: true.
   */
  readonly lockdep?: boolean;
  /** Called a few times a second. */
  readonly onProgress?: (progress: Progress) => void;
}
