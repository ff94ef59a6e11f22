import { Bio } from "@blkstack/bio";
import type { Awaitable } from "@blkstack/task";
import { type Actor, ExploredTask } from "./actor.ts";
import { guardForeignCalls, runBegins, runEnds } from "./audits/foreign-calls.ts";
import { bioName, bioVocabulary } from "./bio-vocabulary.ts";
import { type Conditions, conditionsOf } from "./conditions.ts";
import { appointWatchers, type Check, CHECKS, inspect } from "./check.ts";
import { CrashLedger, type CutPoint } from "./crash/crash-ledger.ts";
import type { FatalCut } from "./crash/power-cuts.ts";
import { onceMicrotasksAreDone } from "./event-loop.ts";
import type { Finding } from "./finding.ts";
import { type Input, WHOLE } from "./input.ts";
import type { Lockdep } from "./lockdep/lockdep.ts";
import { Recorder } from "./recorder.ts";
import type { Stop } from "./run-options.ts";
import type { RunWatcher } from "./run-watcher.ts";
import { type Scenario, variantOf } from "./scenario.ts";
import type { StateTable } from "./state-table.ts";
import { PendingTimer } from "./timer-choices.ts";
import type { Strategy } from "./strategy.ts";
import type { Vocabulary } from "./vocabulary.ts";
import { RunWorld } from "./world.ts";

/** A run longer than this is called a livelock, unless another bound is given. */
export const STEPS_MAX = 10_000;

/** What to run, and how to judge it; the same for every run of a search. */
export interface RunPlan {
  readonly scenario: Scenario;
  readonly variant: string;
  readonly seed: number;
  readonly stepsMax: number;
  readonly checks?: readonly Check[];
  /** Whether a run goes on to its end when a watcher has found something. Default: false. */
  readonly runsToEnd?: boolean;
  /** What is taken away; by default nothing. */
  readonly input?: Input;
  /** Default: as the variant says. */
  readonly conditions?: Conditions;
  /** Whether the power is cut where a scenario asks for it. Default: "each-state". */
  readonly crash?: "each-state" | "off";
  /** Where it is cut before anywhere else. */
  readonly cut?: CutPoint | null;
}

/** How one run ended. */
export interface Outcome {
  readonly finding: Finding | null;
  readonly stop: Stop;
  readonly steps: number;
  readonly world: RunWorld;
  /** The power cut that the finding is about; null: it is about the run itself. */
  readonly cut: FatalCut | null;
}

/** A run of which everything was written down. */
export interface RecordedRun {
  readonly outcome: Outcome;
  readonly recorder: Recorder;
  readonly input: Input;
}

export interface RunWith {
  readonly strategy: Strategy;
  readonly stepsMax?: number;
  readonly states?: StateTable | null;
  readonly recorder?: Recorder | null;
  /** Default: the plan's. */
  readonly input?: Input;
  /** Told of the run, besides those that the checks appoint. */
  readonly watcher?: RunWatcher;
  /** Who learns from the run how locks are taken. */
  readonly lockdep?: Lockdep | null;
}

/** Builds the scenario afresh and runs it to its end, again and again. */
export class Runner {
  readonly plan: RunPlan;
  readonly conditions: Conditions;
  readonly vocabularies: readonly Vocabulary[] = [bioVocabulary()];
  /** What is known of power cuts, from all runs. */
  readonly crashes: CrashLedger = new CrashLedger();
  #world: RunWorld | null = null;
  #disarm: (() => void) | null = null;
  #unguard: (() => void) | null = null;

  constructor(plan: RunPlan) {
    this.plan = plan;
    this.conditions = plan.conditions ?? conditionsOf(variantOf(plan.scenario, plan.variant));
  }

  get input(): Input {
    return this.plan.input ?? WHOLE;
  }

  /** Throws what `build` throws. */
  async once(how: RunWith): Promise<Outcome> {
    const { scenario, variant, seed, checks = CHECKS } = this.plan;
    const {
      strategy,
      states = null,
      recorder = null,
      lockdep = null,
      stepsMax = this.plan.stepsMax,
    } = how;
    const { vocabularies, input, conditions } = this;
    const { runsToEnd = false, crash = "each-state", cut: cutFirst = null } = this.plan;
    const options = { strategy, states, seed, stepsMax, recorder, lockdep, runsToEnd, conditions };
    const ledger = crash === "off" ? null : this.crashes;
    const world = new RunWorld({ ...options, ledger }, vocabularies, how.input ?? input);
    this.#world = world;
    lockdep?.beginRun(world);
    appointWatchers(world, checks);
    if (how.watcher !== undefined) world.scheduler.audience.add(how.watcher);
    const stop = await runGuarded(world, () => scenario.build(world, variant));
    const { steps } = world.scheduler;
    const finding = inspect({ world, stop, vocabularies }, checks);
    if (finding !== null || world.cuts === null) return { finding, stop, steps, world, cut: null };
    const cut = await this.crashes.judge(world.cuts, cutFirst);
    return { finding: cut?.finding ?? null, stop, steps, world, cut };
  }

  /** As `once`, and writes everything down. */
  async record(strategy: Strategy, input: Input = this.input): Promise<RecordedRun> {
    const recorder = new Recorder(describeStep, (steps) => {
      const world = this.#world;
      if (world === null) return [];
      return this.vocabularies.flatMap((each) => each.lookAround?.(world, steps) ?? []);
    });
    strategy.beginRun();
    return { outcome: await this.watched({ strategy, recorder, input }), recorder, input };
  }

  /** As `once`, but for itself and not one of many. */
  async watched(how: RunWith): Promise<Outcome> {
    this.watch();
    try {
      return await this.once(how);
    } finally {
      this.unwatch();
    }
  }

  /** From here to `unwatch`, a run that waits for what nobody will bring is ended as such. */
  watch(): void {
    this.#unguard ??= guardForeignCalls();
    this.#disarm = onceMicrotasksAreDone(() => {
      this.#world?.scheduler.reportForeignAwait();
      // A scenario may wait while it is built: then the run itself is still to come.
      if (this.#disarm !== null) this.watch();
    });
  }

  unwatch(): void {
    this.#unguard?.();
    this.#unguard = null;
    this.#disarm?.();
    this.#disarm = null;
  }
}

/** Builds and runs; what waits while it builds waits for others, who may ask whomever they like. */
async function runGuarded(world: RunWorld, build: () => Awaitable<void>): Promise<Stop> {
  runBegins(world);
  try {
    const built = build();
    if (built !== undefined) {
      runEnds(world);
      await built;
      runBegins(world);
    }
    return await world.scheduler.run();
  } finally {
    runEnds(world);
  }
}

function describeStep(actor: Actor): string {
  if (actor instanceof ExploredTask) return actor.access.label;
  if (actor instanceof PendingTimer) return `fires at ${String(actor.timer.atMs)} ms`;
  return actor.work instanceof Bio ? `ends ${bioName(actor.work)}` : "interrupts";
}
