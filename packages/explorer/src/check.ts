import { InvariantError } from "@blkstack/bio";
import { SleepInAtomicError } from "@blkstack/task";
import { ExploredTask } from "./actor.ts";
import type { ForeignCall } from "./audits/foreign-calls.ts";
import { type Finding, FindingError, type FindingKind } from "./finding.ts";
import { doubleCompletion } from "./double-completion.ts";
import { hungTasks } from "./hung-tasks.ts";
import { lassoText } from "./loops/lasso.ts";
import { deadlockOf, KnotWatch } from "./knot-watch.ts";
import { LostWakeupWatch } from "./lost-wakeup.ts";
import type { Stop } from "./run-options.ts";
import type { RunWatcher } from "./run-watcher.ts";
import { NondeterminismError } from "./strategy.ts";
import type { Vocabulary } from "./vocabulary.ts";
import { isStuck, WaitForGraph } from "./wait-for-graph.ts";
import type { RunWorld } from "./world.ts";

/** What a check is given when a run is over. */
export interface FinishedRun {
  readonly world: RunWorld;
  readonly stop: Stop;
  readonly vocabularies: readonly Vocabulary[];
}

/** One thing that may be wrong with a run. */
export interface Check {
  readonly name: string;
  /** Asked once, when the run is over; null: nothing to complain of. */
  inspect(run: FinishedRun): Finding | null;
  /** Who is told of one run while it goes on; asked before the scenario is built. */
  watch?(world: RunWorld): RunWatcher | null;
}

/** An error that a task, an interrupt or a timer ended with. */
const errors: Check = {
  name: "errors",
  inspect({ stop }) {
    if (stop.why !== "error") return null;
    const { error, actor } = stop;
    const message = error instanceof Error ? error.message : String(error);
    const who = actor === null ? "" : `${actor.name}: `;
    return { kind: kindOfError(error), message: `${who}${message}` };
  },
};

const foreignAwaits: Check = {
  name: "foreign awaits",
  inspect({ stop, world }) {
    if (stop.why !== "foreign-await") return null;
    const who = stop.task?.name ?? "somebody";
    const { task } = stop;
    const since = task instanceof ExploredTask ? ` after "${task.access.label}"` : "";
    const call = world.firstForeignCall;
    const called = call === null ? "" : `; ${calledAt(call)}`;
    return {
      kind: "FOREIGN_AWAIT",
      message: `${who} waits${since} for something that the scheduler was not asked for${called}`,
    };
  },
};

/** What the platform was asked for will be another thing next time. */
const foreignCalls: Check = {
  name: "foreign calls",
  inspect({ world }) {
    const call = world.firstForeignCall;
    if (call === null) return null;
    return { kind: "FOREIGN_CALL", message: `${calledAt(call)}, not asked for of the scheduler` };
  },
};

function calledAt({ name, site }: ForeignCall): string {
  return site === "" ? `${name} is called` : `${name} is called at ${site}`;
}

const livelock: Check = {
  name: "livelock",
  inspect({ stop, world }) {
    if (stop.why === "loop") return { kind: "LIVELOCK", message: lassoText(stop.lasso) };
    if (stop.why !== "too-long") return null;
    return { kind: "LIVELOCK", message: `not over after ${String(world.scheduler.steps)} steps` };
  },
};

/** Nobody can take a step, time brings nothing new, and somebody still waits. */
const deadlock: Check = {
  name: "deadlock",
  watch: (world) => new KnotWatch(world),
  inspect({ stop, world, vocabularies }) {
    if (stop.why !== "quiet") return null;
    const stuck = world.scheduler.tasks.filter(isStuck);
    if (stuck.length === 0) return null;
    const names = stuck.map(({ name }) => name).join(", ");
    const knot = new WaitForGraph(world, vocabularies).knot();
    return knot === null ? { kind: "STALL", message: `${names} cannot go on` } : deadlockOf(knot);
  },
};

/** The scenario's own checks, when all tasks have ended. */
const ends: Check = {
  name: "ends",
  inspect({ stop, world }) {
    if (stop.why !== "quiet" || world.endChecks.length === 0) return null;
    const complaints = world.endChecks.flatMap((check) => [...check()]);
    const [first] = complaints;
    if (first === undefined) return null;
    const kind = typeof first === "string" ? "WRONG" : first.kind;
    const texts = complaints.map((each) => (typeof each === "string" ? each : each.message));
    return { kind, message: texts.join("; ") };
  },
};

const lostWakeups: Check = {
  name: "lost wake-ups",
  inspect: () => null,
  watch: (world) => new LostWakeupWatch(world),
};

const warnings: Check = {
  name: "warnings",
  inspect({ stop, world }) {
    const [first] = world.scheduler.warnings;
    if (first === undefined || stop.why === "given-up") return null;
    return { kind: "WARN", message: first };
  },
};

/** In the order in which they are asked: what explains most comes first. */
export const CHECKS: readonly Check[] = [
  foreignAwaits,
  foreignCalls,
  errors,
  livelock,
  deadlock,
  lostWakeups,
  hungTasks(),
  doubleCompletion,
  ends,
  warnings,
];

/** Has the checks watch a run that is about to begin. */
export function appointWatchers(world: RunWorld, checks: readonly Check[]): void {
  for (const check of checks) {
    const watcher = check.watch?.(world) ?? null;
    if (watcher !== null) world.scheduler.audience.add(watcher);
  }
}

/** The first complaint about a run: what ended it, if a watcher did. */
export function inspect(run: FinishedRun, checks: readonly Check[]): Finding | null {
  if (run.stop.why === "finding") return run.stop.finding;
  const { noted } = run.world.scheduler;
  if (noted !== null) return noted;
  for (const check of checks) {
    const finding = check.inspect(run);
    if (finding !== null) return finding;
  }
  return null;
}

function kindOfError(error: unknown): FindingKind {
  if (error instanceof FindingError) return error.kind;
  if (error instanceof SleepInAtomicError) return "SLEEP_IN_ATOMIC";
  if (error instanceof NondeterminismError) return "NONDETERMINISM";
  if (!(error instanceof InvariantError)) return "ERROR";
  if (/use after free/i.test(error.message)) return "USE_AFTER_FREE";
  return /double free/i.test(error.message) ? "DOUBLE_FREE" : "BUG";
}
