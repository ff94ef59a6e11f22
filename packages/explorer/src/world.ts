import { type Access, AccessMode, type Task, type TaskBody } from "@blkstack/task";
import { ExploredTask, type Guard, TaskState } from "./actor.ts";
import type { ForeignCall, ForeignCallListener } from "./audits/foreign-calls.ts";
import { Cell } from "./cell.ts";
import type { CrashLedger } from "./crash/crash-ledger.ts";
import { CutWatcher, type PowerCuts } from "./crash/power-cuts.ts";
import { ExploringScheduler } from "./exploring-scheduler.ts";
import type { Finding } from "./finding.ts";
import { type Amount, amountOf, type Input, WHOLE } from "./input.ts";
import { wordOf } from "./word-of.ts";
import type { RunOptions } from "./run-options.ts";
import type { SpawnOptions, Summary, World } from "./scenario.ts";
import type { Place, RunView, Vocabulary } from "./vocabulary.ts";

interface SchedulerOptions extends Omit<RunOptions, "fingerprint" | "stateText" | "known"> {
  /** Who judges power cuts; null: they are not asked for. */
  readonly ledger?: CrashLedger | null;
}

/** The order of all that changes a disk decides what a power cut can leave. */
const POWER_CUT: Access = { object: { label: "the power" }, mode: AccessMode.Write, label: "" };

/** One run's world: what the scenario has built, and what it said about it. */
export class RunWorld implements World, RunView, ForeignCallListener {
  readonly scheduler: ExploringScheduler;
  readonly places: Place[] = [];
  readonly endChecks: (() => Iterable<string | Finding>)[] = [];
  /** The first call of a clock, a timer or a source of chance that is not the scheduler's. */
  firstForeignCall: ForeignCall | null = null;
  /** What a power cut could have left, at each point; null: nobody asks. */
  cuts: CutWatcher | null = null;
  /** The amounts asked for, in the order of asking. */
  readonly amounts: Amount[] = [];
  readonly #input: Input;
  /** How often each name was asked for; kept only when some tasks are left out. */
  #spawned: Map<string, number> | null = null;
  readonly #options: SchedulerOptions;
  readonly #cells: Cell[] = [];
  readonly #summaries: Summary[] = [];
  readonly #summarised = new Set<object>();
  readonly #observed: { label: string; read: () => string | number }[] = [];
  /** What is known of things that are no `Waitable`. */
  readonly vocabularies: readonly Vocabulary[];

  constructor(
    options: SchedulerOptions,
    vocabularies: readonly Vocabulary[],
    input: Input = WHOLE,
  ) {
    this.#input = input;
    this.vocabularies = vocabularies;
    this.#options = options;
    const {
      conditions,
      strategy,
      stepsMax,
      seed,
      states,
      recorder,
      lockdep = null,
      runsToEnd = false,
    } = options;
    this.scheduler = new ExploringScheduler({
      strategy,
      stepsMax,
      seed,
      states,
      recorder,
      lockdep,
      conditions,
      runsToEnd,
      fingerprint: () => this.#fingerprint(),
      stateText: () => this.stateText() + this.scheduler.faults.stateText,
      known: {
        stateText: () => this.stateText() + this.scheduler.faults.stateText,
        isSummarised: (object) => this.#summarised.has(object),
      },
    });
  }

  spawn(name: string, body: TaskBody, options: SpawnOptions = {}): Task {
    const startsAtFirstStep = options.startsAtFirstStep === true;
    if (this.#input.without.length === 0) {
      return this.scheduler.spawnScenarioTask(name, body, startsAtFirstStep);
    }
    const unique = this.#uniqueName(name);
    if (this.#input.without.includes(wordOf({ name: unique }))) return idle(unique, this.scheduler);
    return this.scheduler.spawnScenarioTask(unique, body, startsAtFirstStep);
  }

  step(task: Task, access: Access, guard?: Guard): Promise<void> {
    return this.scheduler.step(task, access, guard);
  }

  cell(label: string, value = 0): Cell {
    const cell = new Cell(label, value);
    this.#cells.push(cell);
    this.#options.strategy.log?.cellMade(cell);
    return cell;
  }

  amount(name: string, usual: number, least = 1): number {
    const amount = amountOf(this.#input, name, usual, least);
    this.amounts.push(amount);
    return amount.given;
  }

  choose(what: string, count: number): number {
    this.#assertIsRunning(what);
    return this.scheduler.choose(what, count);
  }

  chooseOf<Value extends string | number | boolean>(what: string, values: readonly Value[]): Value {
    this.#assertIsRunning(what);
    const words = values.map((value) => `${what}: ${String(value)}`);
    const value = values[this.scheduler.choose(what, values.length, words)];
    if (value === undefined) throw new RangeError(`${what}: a choice of nothing`);
    return value;
  }

  place(place: Place): void {
    this.places.push(place);
  }

  observe(label: string, read: () => string | number): void {
    this.#observed.push({ label, read });
  }

  ignore(object: object): void {
    this.scheduler.ignore(object);
  }

  summarise(object: object, summary: Summary): void {
    this.#options.states?.summarise(object, summary.shows);
    this.#summaries.push(summary);
    this.#summarised.add(object);
  }

  powerCuts<Seen>(cuts: PowerCuts<Seen>): void {
    const { ledger = null } = this.#options;
    if (ledger === null) return;
    if (this.cuts !== null) throw new Error("power cuts are asked for twice");
    for (const cache of [...cuts.disks, ...(cuts.promises ?? [])]) {
      cache.attach(() => {
        this.scheduler.touch(POWER_CUT);
      });
    }
    // What `recover` answers comes back to the same plan's `check` alone.
    this.cuts = new CutWatcher(cuts, ledger);
    this.scheduler.audience.add(this.cuts);
  }

  atEnd(check: () => Iterable<string | Finding>): void {
    this.endChecks.push(check);
  }

  foreignCall(call: ForeignCall): void {
    this.firstForeignCall ??= call;
  }

  /** The figures that the scenario named, for a report. */
  figures(): string[] {
    return this.#observed.map(({ label, read }) => `${label}: ${String(read())}`);
  }

  /** The name that the task has when all are spawned, also where one of the same name is not. */
  #uniqueName(name: string): string {
    this.#spawned ??= new Map();
    const copy = (this.#spawned.get(name) ?? 0) + 1;
    this.#spawned.set(name, copy);
    return copy === 1 ? name : `${name}#${String(copy)}`;
  }

  #assertIsRunning(what: string): void {
    if (!this.scheduler.isBuilding) return;
    throw new Error(`${what}: a choice while the scenario is built; let a task ask for it`);
  }

  /** Equal when nothing has moved, whatever the clock says. */
  #fingerprint(): string {
    const { tasks, interrupts } = this.scheduler;
    const waits = tasks.map((task) => `${String(task.state)}${task.waitingFor?.label ?? ""}`);
    return `${waits.join("|")}/${String(interrupts.length)}/${this.stateText()}`;
  }

  /** All that is known of shared things: values of cells, summaries, figures, what lies where. */
  stateText(): string {
    let text = "";
    for (const { value } of this.#cells) text += `${String(value)},`;
    for (const { holds } of this.#summaries) text += `${String(holds())},`;
    for (const { read } of this.#observed) text += `${String(read())},`;
    for (const vocabulary of this.vocabularies) text += vocabulary.fingerprint(this);
    return text;
  }
}

/** Stands for a task that was left out: over before it began, and known to nobody. */
function idle(name: string, scheduler: ExploringScheduler): ExploredTask {
  const task = new ExploredTask(name, -1, scheduler, { body: () => undefined, isService: true });
  task.state = TaskState.Done;
  return task;
}
