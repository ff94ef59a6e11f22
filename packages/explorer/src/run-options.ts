import type { Task } from "@blkstack/task";
import type { Actor } from "./actor.ts";
import type { Conditions } from "./conditions.ts";
import type { Finding } from "./finding.ts";
import type { RunLockWatcher } from "./lockdep/run-lock-watcher.ts";
import type { Lasso } from "./loops/lasso.ts";
import type { Known } from "./loops/loop-watch.ts";
import type { Recorder } from "./recorder.ts";
import type { StateTable } from "./state-table.ts";
import type { Strategy } from "./strategy.ts";

/** Why a run is over. */
export type Stop =
  /** Nobody can take a step, and time brings nothing new. */
  | { readonly why: "quiet" }
  /** The strategy, or the memory of states, did not want to see more. */
  | { readonly why: "given-up" }
  | { readonly why: "too-long" }
  /** These steps go on for ever, though nobody is neglected. */
  | { readonly why: "loop"; readonly lasso: Lasso }
  /** A watcher has seen enough; others might have gone on. */
  | { readonly why: "finding"; readonly finding: Finding }
  | { readonly why: "foreign-await"; readonly task: Task | null }
  | { readonly why: "error"; readonly error: unknown; readonly actor: Actor | null };

export interface RunOptions {
  readonly strategy: Strategy;
  /** A run longer than this is given up, as a livelock. */
  readonly stepsMax: number;
  /** The seed of `random`: the same for every run, for chance is not what is explored here. */
  readonly seed: number;
  /** Where equal states are recognised; null: each schedule is run. */
  readonly states: StateTable | null;
  /** What must change if a retry helped: pool counts, lists, what is in flight. */
  readonly fingerprint: () => string;
  /** What is known of the shared objects beyond who used them in which order. */
  readonly stateText: () => string;
  /** By what a loop without progress is told. */
  readonly known: Known;
  readonly recorder: Recorder | null;
  /** Who is told of locks; null: nobody. */
  readonly lockdep?: RunLockWatcher | null;
  readonly conditions: Conditions;
  /** Whether a run goes on to its end when a watcher has found something. Default: false. */
  readonly runsToEnd?: boolean;
}
