import type { Access, Awaitable, Task, TaskBody } from "@blkstack/task";
import type { Guard } from "./actor.ts";
import type { Cell } from "./cell.ts";
import type { PowerCuts } from "./crash/power-cuts.ts";
import type { ExploringScheduler } from "./exploring-scheduler.ts";
import type { Finding, FindingKind } from "./finding.ts";
import type { FaultBudget, TimerModel } from "./conditions.ts";
import type { StrategyName } from "./strategies/named.ts";
import type { Place } from "./vocabulary.ts";

/** What a variant is expected to come to: "ok" is a proof that no schedule fails. */
export type Expectation = "ok" | FindingKind;

export interface Variant {
  readonly expect: Expectation;
  /** One line: what is different here, and what comes of it. */
  readonly summary: string;
  /** Merge states that cannot be told apart; the proof then counts states. Default: every schedule. */
  readonly dedupe?: "states";
  /** Which search is at home here. Default: "exhaustive". */
  readonly strategy?: StrategyName;
  /** What may go wrong in a run; the options of a search may say otherwise. Default: nothing. */
  readonly faults?: FaultBudget;
  /** Default: "when-idle". */
  readonly timers?: TimerModel;
}

/** A story to be run under every schedule. */
export interface Scenario {
  readonly name: string;
  readonly summary: string;
  readonly variants: Readonly<Record<string, Variant>>;
  /** Builds devices and spawns tasks, afresh for each run, in which nothing of an earlier one is left. */
  build(world: World, variant: string): Awaitable<void>;
}

/** What a scenario builds upon. */
export interface World {
  readonly scheduler: ExploringScheduler;
  /** Spawns a task which must come to its end. What a package spawns serves, and need not. */
  spawn(name: string, body: TaskBody, options?: SpawnOptions): Task;
  /**
   * A step of a model: `access` is announced, and taken once `guard` holds and the task is chosen.
   * What follows up to the next wait belongs to the step. Waits: until chosen.
   */
  step(task: Task, access: Access, guard?: Guard): Promise<void>;
  /** A number that the tasks of a model share. */
  cell(label: string, value?: number): Cell;
  /**
   * A number of the input that may be smaller: bios, rounds, elements in a pool. Answers `usual`,
   * except where a failure that was found is shown with less, but never below `least`.
   */
  amount(name: string, usual: number, least?: number): number;
  /**
   * A choice that is nobody's to make, which of `count` outcomes happens: the search takes each in
   * turn, the first one first. `what` says in a story what it is about. Only tasks, interrupts and
   * timers may ask: throws while the scenario is built.
   */
  choose(what: string, count: number): number;
  /** As `choose`, of these values, which a story tells by name: `the weather: rain`. */
  chooseOf<Value extends string | number | boolean>(what: string, values: readonly Value[]): Value;
  /** Names a list that things may lie on, and who takes them off. */
  place(place: Place): void;
  /**
   * Names a figure that must move when anything moves: elements in a reserve, bios ended. By these
   * a stall is told from a pause, and states are told apart.
   */
  observe(label: string, read: () => string | number): void;
  /**
   * Takes no choice before uses of this object: nothing depends on their order. A claim of the
   * scenario, as coarse as it wants; the explorer believes it.
   */
  ignore(object: object): void;
  /**
   * Says what there is to know of a shared object, so that more states are equal. Without it two
   * orders of uses are different states for ever, whether or not anybody can tell.
   */
  summarise(object: object, summary: Summary): void;
  /**
   * Has the power cut at every point of the run, and each image that this can leave recovered and
   * judged, when the run is over. While the scenario is built, once.
   */
  powerCuts<Seen>(cuts: PowerCuts<Seen>): void;
  /** Asked when every task has come to its end. Answers complaints: leaks, bios not ended. */
  atEnd(check: () => Iterable<string | Finding>): void;
}

/** All that a shared object comes to. Wrong ones make a search overlook schedules. */
export interface Summary {
  /** The whole of its state, as far as anything that happens later depends on it. */
  readonly holds: () => string | number;
  /** What a task that uses it learns from that; a use in mode `Release` must tell it nothing. */
  readonly shows: () => string | number;
}

export interface SpawnOptions {
  /**
   * Before its first step the task touches nothing that is shared, so that its start need not be
   * a step of its own. Default: false, which is always right and takes longer.
   */
  readonly startsAtFirstStep?: boolean;
}

/** Declares a scenario. */
export function defineScenario(scenario: Scenario): Scenario {
  return scenario;
}

/** Throws when a scenario has no variant of this name, naming those that it has. */
export function variantOf(scenario: Scenario, variant: string): Variant {
  const found = scenario.variants[variant];
  if (found !== undefined) return found;
  const names = Object.keys(scenario.variants).join(", ");
  throw new RangeError(`scenario "${scenario.name}" has no variant "${variant}"; it has ${names}`);
}
