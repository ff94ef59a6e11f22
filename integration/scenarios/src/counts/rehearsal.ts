import {
  type Cell,
  explore,
  GIVE_UP,
  type Guard,
  type StepLog,
  type Strategy,
} from "@blkstack/explorer";
import type { Access } from "@blkstack/task";
import { type Program, programScenario, type StepObserver, type Walker } from "./program.ts";
import type { NamedProgram } from "./programs.ts";

/** Takes the steps of a path, and then watches one more. */
export class Rehearsal implements Strategy, StepLog, StepObserver {
  readonly name = "rehearsal";
  readonly isExhaustive = false;
  readonly isRepeating = false;
  readonly decidesEveryStep = true;
  readonly log: StepLog = this;
  readonly walkers: { readonly walker: Walker; uses: readonly Access[] | null }[] = [];
  readonly cells: { readonly cell: Cell; value: number }[] = [];
  /** The cells that the step asked before it wrote them, in order, and what they held. */
  readonly asked: { readonly cell: number; readonly value: number }[] = [];
  readonly written = new Set<number>();
  isTaken = false;
  /** Where the task stood before its step. */
  atBefore = 0;
  program: Program | null = null;
  readonly #path: readonly number[];
  readonly #task: number;
  readonly #guards: (Guard | undefined)[] = [];
  #depth = 0;
  #isWatching = false;
  #isOver = false;

  constructor(path: readonly number[], task: number) {
    this.#path = path;
    this.#task = task;
  }

  beginRun(): boolean {
    return true;
  }

  chooseActor(enabled: Parameters<Strategy["chooseActor"]>[0]): number {
    const depth = this.#depth;
    this.#depth += 1;
    if (depth > this.#path.length) return GIVE_UP;
    if (depth === this.#path.length && !this.#ask()) return GIVE_UP;
    const name = this.walkers[this.#path[depth] ?? this.#task]?.walker.name;
    return enabled.findIndex((actor) => actor.name === name);
  }

  chooseOutcome(): number {
    throw new Error("programs ask for no outcomes");
  }

  cellMade(cell: Cell): void {
    const index = this.cells.length;
    const kept = { cell, value: cell.value };
    this.cells.push(kept);
    Object.defineProperty(cell, "value", {
      get: () => {
        this.#asks(index, kept.value);
        return kept.value;
      },
      set: (value: number) => {
        if (this.#isWatching) this.written.add(index);
        kept.value = value;
      },
    });
  }

  announced(walker: Walker, uses: readonly Access[], guard: Guard | undefined): void {
    // A search may run more than it was asked to, to confirm what it suspects.
    if (this.#isOver) return;
    const index = this.#arrive(walker, uses);
    this.#guards[index] = guard;
  }

  taken(walker: Walker): void {
    this.#isWatching = this.isTaken && this.walkers[this.#task]?.walker === walker;
  }

  ended(walker: Walker): void {
    if (!this.#isOver) this.#arrive(walker, null);
  }

  used(): void {
    // All uses are announced.
  }

  timerArmed(): void {
    throw new Error("programs arm no timers");
  }

  made(): void {
    // Programs spawn nobody while they run.
  }

  woke(): void {
    throw new Error("programs do not sleep");
  }

  timeMoves(): void {
    // There are no timers.
  }

  /** Nobody could go on: then the step in question could not be taken either. */
  runOver(): void {
    if (this.#depth === this.#path.length) this.#ask();
    this.#isOver = true;
  }

  #arrive(walker: Walker, uses: readonly Access[] | null): number {
    const index = this.walkers.findIndex((known) => known.walker === walker);
    const known = this.walkers[index];
    if (known === undefined) {
      this.walkers.push({ walker, uses });
      return this.walkers.length - 1;
    }
    known.uses = uses;
    if (index === this.#task) this.#isWatching = false;
    return index;
  }

  /** Whether the step in question can be taken; then it is watched. */
  #ask(): boolean {
    this.atBefore = this.walkers[this.#task]?.walker.at ?? 0;
    this.#isWatching = this.#task >= 0;
    this.isTaken = this.#isWatching && this.#guards[this.#task]?.() !== false;
    this.#isWatching = false;
    return this.isTaken;
  }

  #asks(cell: number, value: number): void {
    if (!this.#isWatching || this.written.has(cell)) return;
    if (!this.asked.some((known) => known.cell === cell)) this.asked.push({ cell, value });
  }
}

/** Runs a program's tasks down a path, and then one step of one of them. */
export async function rehearse(
  build: NamedProgram["build"],
  path: readonly number[],
  task: number,
): Promise<Rehearsal> {
  const run = new Rehearsal(path, task);
  const seen = (program: Program): void => {
    run.program ??= program;
  };
  const scenario = programScenario(build, seen, run);
  // Whether the run fails is not the question here.
  await explore(scenario, "program", { strategy: run, executions: 1, checks: [] });
  return run;
}
