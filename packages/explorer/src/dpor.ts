import type { Access } from "@blkstack/task";
import { type Actor, type ExploredTask, TaskState } from "./actor.ts";
import type { Cell } from "./cell.ts";
import { bothReadOrBothGive, type Commute, conflict, ObjectNumbers } from "./dependency.ts";
import { type DporState, loadStep, saveStep } from "./dpor-state.ts";
import { linkStep, reverseRaces, type Schedule } from "./dpor-races.ts";
import { DporStep, keyOf, Readiness, readinessOf, type Wish } from "./dpor-step.ts";
import { booleanIn, listIn } from "./saved.ts";
import type { StepLog } from "./step-log.ts";
import { MOVE_CLOCK } from "./timer-choices.ts";
import { GIVE_UP, NondeterminismError, type Strategy } from "./strategy.ts";

/**
 * One schedule of each class that differs only in the order of steps that do not touch each other
 * (source-DPOR with sleep sets): each step that could have come before an earlier one that it
 * conflicts with makes the search try that order too.
 */
export class Dpor implements Strategy, StepLog, Schedule {
  readonly name = "dpor";
  readonly decidesEveryStep = true;
  readonly log: StepLog = this;
  readonly commute: Commute = bothReadOrBothGive;
  steps: DporStep[] = [];
  cells: Cell[] = [];
  isExhaustive = true;
  /** Whether the run at hand ended because all that could follow is covered. */
  protected isBlocked = false;
  readonly #objects = new ObjectNumbers();
  #isFirstRun = true;
  /** How many steps the run has begun. */
  #begun = 0;
  /** The first step of the run that the run before did not take alike. */
  #fresh = 0;
  /** The step that is written down; null: it was, in an earlier run, or time moves. */
  #open: DporStep | null = null;
  #outcomesAsked = 0;
  /** Timers that the open step has cancelled. */
  readonly #cancelled: number[] = [];
  #hasTimeMoved = false;
  /** Steps before this one stay as they are: what else is tried there is somebody else's. */
  #fixed = 0;

  /** `prefix`: what all its schedules begin with; what else could be done there is not its own. */
  constructor(prefix?: DporState) {
    if (prefix === undefined) return;
    this.restore(prefix);
    this.#isFirstRun = true;
    this.#fixed = this.steps.length;
    this.#fresh = this.steps.length;
  }

  save(): DporState {
    return {
      isFirstRun: this.#isFirstRun,
      isExhaustive: this.isExhaustive,
      objects: this.#objects.save(),
      steps: this.steps.map(saveStep),
    };
  }

  restore(state: unknown): void {
    this.#isFirstRun = booleanIn(state, "isFirstRun");
    this.isExhaustive = booleanIn(state, "isExhaustive");
    this.#objects.restore(listIn(state, "objects").map(String));
    this.steps = listIn(state, "steps").map(loadStep);
  }

  get isRepeating(): boolean {
    return this.#begun < this.steps.length;
  }

  beginRun(): boolean {
    this.cells = [];
    this.#begun = 0;
    this.#open = null;
    this.#hasTimeMoved = false;
    this.isBlocked = false;
    if (this.#isFirstRun) {
      this.#isFirstRun = false;
      return true;
    }
    while (this.steps.length > this.#fixed) {
      const last = this.steps.at(-1);
      if (last === undefined) break;
      this.#fresh = this.steps.length - 1;
      if (last.nextOutcome()) return true;
      const next = last.nextActor();
      if (next !== undefined) {
        last.key = next;
        return true;
      }
      this.steps.pop();
    }
    return false;
  }

  chooseActor(enabled: readonly Actor[]): number {
    this.#close();
    const step = this.steps[this.#begun] ?? this.extend(enabled);
    this.#hasTimeMoved = false;
    if (step === null) {
      this.isBlocked = true;
      return GIVE_UP;
    }
    const index = enabled.findIndex((actor) => keyOf(actor) === step.key);
    const actor = enabled[index];
    if (actor === undefined) {
      throw new NondeterminismError(`step ${String(this.#begun + 1)} cannot be taken again`);
    }
    if (this.#begun >= this.#fresh) this.#openStep(step, actor);
    this.#begun += 1;
    this.#outcomesAsked = 0;
    return index;
  }

  chooseOutcome(what: string, count: number): number {
    const step = this.steps[this.#begun - 1];
    if (step === undefined) {
      // Asked before the first step, from a timer: there is nothing to go back to.
      this.isExhaustive = false;
      return 0;
    }
    if (this.#open !== null) this.#objects.addOutcome(what, this.#open.uses);
    const asked = step.outcomes[this.#outcomesAsked];
    this.#outcomesAsked += 1;
    if (asked !== undefined && asked.what !== what) {
      throw new NondeterminismError(`asked for ${what} where ${asked.what} was asked for before`);
    }
    if (asked === undefined) step.outcomes.push({ what, taken: 0, count });
    return asked?.taken ?? 0;
  }

  cellMade(cell: Cell): void {
    this.cells.push(cell);
  }

  used(access: Access): void {
    if (this.#open !== null) this.#objects.add(access, this.#open.uses);
  }

  timerArmed(atMs: number): void {
    if (this.#open !== null) this.#objects.addTimer(atMs, this.#open.uses);
  }

  timerCancelled(timer: Actor): void {
    if (this.#open !== null) this.#cancelled.push(keyOf(timer));
  }

  made(actor: Actor): void {
    this.#open?.made.push(keyOf(actor));
  }

  woke(task: Actor): void {
    this.#open?.woke.push(keyOf(task));
  }

  timeMoves(tasks: readonly ExploredTask[]): void {
    this.#close();
    if (!this.#hasTimeMoved && !this.isRepeating) this.wishOfBlocked(tasks);
    this.#hasTimeMoved = true;
  }

  runOver(tasks: readonly ExploredTask[]): void {
    this.#close();
    if (!this.#hasTimeMoved) this.wishOfBlocked(tasks);
  }

  /** Who could not take its step would have liked to: perhaps it can in another order. */
  protected wishOfBlocked(tasks: readonly ExploredTask[]): void {
    const end = this.#begun;
    for (const task of tasks) {
      if (task.state > TaskState.Ready || task.guard === null || task.guard()) continue;
      const uses: number[] = [];
      this.#objects.add(task.access, uses);
      const key = keyOf(task);
      const { guard } = task;
      const readiness = readinessOf(task);
      this.race({ key, uses, guard, readiness, ...this.#comesFrom(key) }, end);
    }
  }

  /** Finds what `wish`, which stands at `end`, could have come before. */
  protected race(wish: Wish, end: number): void {
    reverseRaces(this, wish, end);
  }

  /** A timer that will not fire would have liked to before. */
  #wishOfCancelled(key: number): void {
    const uses: number[] = [];
    this.#objects.add(MOVE_CLOCK, uses);
    const wish = { key, uses, guard: null, readiness: Readiness.Unknown };
    this.race({ ...wish, ...this.#comesFrom(key) }, this.#begun);
  }

  #openStep(step: DporStep, actor: Actor): void {
    step.begin(step.key, actor);
    const { after, wokenBy } = this.#comesFrom(step.key);
    step.after = after;
    step.wokenBy = wokenBy;
    if ("access" in actor) this.#objects.add(actor.access, step.uses);
    this.#objects.addBiosAbove(actor, step.uses);
    this.#open = step;
  }

  /** The step is over: what it has used is known. */
  #close(): void {
    const step = this.#open;
    this.#open = null;
    if (step === null) return;
    for (const use of step.uses) if (!step.allUses.includes(use)) step.allUses.push(use);
    const at = this.#begun - 1;
    linkStep(this, at);
    this.race(step, at);
    for (const key of this.#cancelled.splice(0)) this.#wishOfCancelled(key);
  }

  /** The next step, which no run before has taken; null: all that could follow is covered. */
  protected extend(enabled: readonly Actor[]): DporStep | null {
    const last = this.steps[this.#begun - 1];
    const asleep =
      last === undefined || this.#hasTimeMoved
        ? []
        : last.asleep.filter(({ uses }) => !conflict(uses, last.uses, this.commute));
    const step = new DporStep(
      enabled.map(keyOf),
      this.cells.map(({ value }) => value),
      asleep,
    );
    step.isAfterTimer = this.#hasTimeMoved;
    const first = step.enabled.find((key) => !step.isAsleep(key));
    if (first === undefined) return null;
    step.key = first;
    step.backtrack.push(first);
    this.steps.push(step);
    return step;
  }

  /** The step after which an actor could go on. */
  #comesFrom(key: number): { after: number; wokenBy: number } {
    let [after, wokenBy] = [-1, -1];
    for (let i = this.#begun - 1; i >= 0; i -= 1) {
      const step = this.steps[i];
      if (wokenBy < 0 && step?.woke.includes(key) === true) wokenBy = i;
      if (step?.key !== key && step?.made.includes(key) !== true) continue;
      after = i;
      break;
    }
    return { after, wokenBy };
  }
}

/**
 * Source-DPOR with sleep sets: one schedule of each class of schedules that nobody can tell apart,
 * because they differ only in the order of steps that touch nothing in common. Best where locks are
 * many; of one pool that all fight for hardly two schedules are alike, and `exhaustive` with equal
 * states merged is better. It needs every use of a shared object to be announced or touched.
 */
export function dpor(): Strategy {
  return new Dpor();
}
