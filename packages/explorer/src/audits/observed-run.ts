import type { Access } from "@blkstack/task";
import { type Actor, ExploredTask } from "../actor.ts";
import type { Cell } from "../cell.ts";
import type { ObjectNumbers } from "../dependency.ts";
import type { StepLog } from "../step-log.ts";
import type { Strategy } from "../strategy.ts";

/** One step, in words that mean the same in every run that goes the same way. */
export interface ObservedStep {
  readonly who: string;
  readonly what: string;
  /** Who could have taken it; empty while a stall is looked for, when nobody chooses. */
  readonly enabled: readonly string[];
  /** What those who could would have done. */
  readonly offered: readonly string[];
  readonly uses: number[];
  readonly outcomes: { readonly what: string; readonly count: number; readonly taken: number }[];
  /** Nobody could go on before, and time moved. */
  readonly isAfterTimer: boolean;
}

/** A strategy that writes down what the one that it stands for decides, and what comes of it. */
export class ObservedRun implements Strategy, StepLog {
  readonly name = "observed";
  readonly isExhaustive = false;
  readonly decidesEveryStep = true;
  readonly log: StepLog = this;
  readonly steps: ObservedStep[] = [];
  readonly #inner: Strategy;
  readonly #objects: ObjectNumbers;
  readonly #names = new Map<Actor, string>();
  #enabled: readonly string[] = [];
  #offered: readonly string[] = [];
  #isAfterTimer = false;
  #madeInStep = 0;

  constructor(inner: Strategy, objects: ObjectNumbers) {
    this.#inner = inner;
    this.#objects = objects;
  }

  get isRepeating(): boolean {
    return this.#inner.isRepeating;
  }

  beginRun(): boolean {
    return this.#inner.beginRun();
  }

  /** An interrupt goes by who raised it when, for its number says who else raised one before. */
  nameOf(actor: Actor): string {
    return this.#names.get(actor) ?? actor.name;
  }

  chooseActor(enabled: readonly Actor[]): number {
    this.#enabled = enabled.map((actor) => this.nameOf(actor));
    this.#offered = enabled.map(whatOf);
    if (enabled.length > 1 || this.#inner.decidesEveryStep === true) {
      return this.#inner.chooseActor(enabled);
    }
    return 0;
  }

  chooseOutcome(what: string, count: number): number {
    const taken = this.#inner.chooseOutcome(what, count);
    const step = this.steps.at(-1);
    step?.outcomes.push({ what, count, taken });
    if (step !== undefined) this.#objects.addOutcome(what, step.uses);
    return taken;
  }

  stepTaken(actor: Actor): void {
    this.#inner.stepTaken?.(actor);
    const uses: number[] = [];
    if (actor instanceof ExploredTask) this.#objects.add(actor.access, uses);
    this.#objects.addBiosAbove(actor, uses);
    this.steps.push({
      who: this.nameOf(actor),
      what: whatOf(actor),
      enabled: this.#enabled,
      offered: this.#offered,
      uses,
      outcomes: [],
      isAfterTimer: this.#isAfterTimer,
    });
    this.#enabled = [];
    this.#offered = [];
    this.#isAfterTimer = false;
    this.#madeInStep = 0;
  }

  cellMade(cell: Cell): void {
    this.#inner.log?.cellMade(cell);
  }

  used(access: Access): void {
    this.#inner.log?.used(access);
    const step = this.steps.at(-1);
    if (step !== undefined) this.#objects.add(access, step.uses);
  }

  timerArmed(atMs: number): void {
    this.#inner.log?.timerArmed(atMs);
    const step = this.steps.at(-1);
    if (step !== undefined) this.#objects.addTimer(atMs, step.uses);
  }

  timerCancelled(timer: Actor): void {
    this.#inner.log?.timerCancelled?.(timer);
  }

  made(actor: Actor): void {
    this.#inner.log?.made(actor);
    if (actor instanceof ExploredTask) return;
    this.#madeInStep += 1;
    const { who = "build" } = this.steps.at(-1) ?? {};
    const own = this.steps.filter((step) => step.who === who).length;
    const place = `${String(own)}.${String(this.#madeInStep)}`;
    this.#names.set(actor, `${actor.source.label}, raised by ${who} (${place})`);
  }

  woke(task: ExploredTask): void {
    this.#inner.log?.woke(task);
  }

  timeMoves(tasks: readonly ExploredTask[]): void {
    this.#inner.log?.timeMoves(tasks);
    this.#isAfterTimer = true;
  }

  runOver(tasks: readonly ExploredTask[]): void {
    this.#inner.log?.runOver(tasks);
  }
}

function whatOf(actor: Actor): string {
  return actor instanceof ExploredTask ? actor.access.label : "interrupts";
}
