import type { Access } from "@blkstack/task";
import type { Program, Walker } from "./program.ts";
import type { NamedProgram } from "./programs.ts";
import { rehearse, type Rehearsal } from "./rehearsal.ts";

/** What a task stands before: an announced step, or its end. */
interface Position {
  /** The same for all steps that use the same things in the same way; null: the task has ended. */
  readonly uses: readonly Access[] | null;
  /** What the step comes to; null: it was never taken. */
  first: Answer | null;
}

/** What a step comes to: known, or to be told by the value of a cell. */
export type Answer = Question | Effect;

export interface Question {
  readonly cell: number;
  /** By the number that stands for the cell's value. */
  readonly answers: (Answer | undefined)[];
}

export interface Effect {
  /** Where the task stands afterwards; -1: the step cannot be taken. */
  readonly position: number;
  /** The cells written, and the numbers of their new values. */
  readonly cells: readonly number[];
  readonly values: readonly number[];
}

export function isQuestion(answer: Answer): answer is Question {
  return "answers" in answer;
}

export interface TableTask {
  readonly name: string;
  readonly isService: boolean;
  readonly positions: Position[];
}

/** Numbers from 0 for values, in the order in which they were first seen. */
class Numbering {
  readonly values: number[] = [];
  readonly #numbers = new Map<number, number>();

  of(value: number): number {
    let number = this.#numbers.get(value);
    if (number === undefined) {
      number = this.values.length;
      if (number > 255) throw new RangeError("more values than a byte can stand for");
      this.values.push(value);
      this.#numbers.set(value, number);
    }
    return number;
  }
}

/**
 * What the steps of a program's tasks do, learned by watching them: which cells a step asks before
 * and while it is taken, in which order, and what it writes. From there on, states can be walked
 * without running a task.
 */
export class StepTables {
  readonly tasks: TableTask[] = [];
  readonly cellLabels: string[] = [];
  /** One number for each cell's value, then one for each task's position. */
  readonly start: readonly number[];
  readonly #build: NamedProgram["build"];
  readonly #cells: Numbering[] = [];
  readonly #ats: Numbering[] = [];
  readonly #program: Program;

  private constructor(build: NamedProgram["build"], opening: Rehearsal) {
    this.#build = build;
    if (opening.program === null) throw new Error("the program was never built");
    this.#program = opening.program;
    for (const { cell, value } of opening.cells) {
      const numbering = new Numbering();
      numbering.of(value);
      this.#cells.push(numbering);
      this.cellLabels.push(cell.label);
    }
    for (const { walker, uses } of opening.walkers) {
      const { name, isService } = walker;
      this.tasks.push({ name, isService, positions: [] });
      this.#ats.push(new Numbering());
      this.#positionOf(this.tasks.length - 1, walker, uses);
    }
    this.start = [...this.#cells.map(() => 0), ...this.#ats.map(() => 0)];
  }

  static async of({ build }: NamedProgram): Promise<StepTables> {
    return new StepTables(build, await rehearse(build, [], -1));
  }

  /** The value that a number stands for. */
  valueOf(cell: number, number: number): number {
    return this.#cells[cell]?.values[number] ?? 0;
  }

  /** Runs a task's next step after the steps of `path`, and notes what it comes to. */
  async learn(path: readonly number[], task: number): Promise<void> {
    const run = await rehearse(this.#build, path, task);
    const walked = run.walkers[task];
    const position = this.tasks[task]?.positions[this.#ats[task]?.of(run.atBefore) ?? 0];
    if (walked === undefined || position === undefined) throw new Error("nobody to learn from");
    const written = [...run.written];
    const effect: Effect = {
      position: run.isTaken ? this.#positionOf(task, walked.walker, walked.uses) : -1,
      cells: written,
      values: written.map((cell) => this.#cells[cell]?.of(run.cells[cell]?.value ?? 0) ?? 0),
    };
    let answer: Answer = effect;
    for (const { cell, value } of run.asked.toReversed()) {
      const answers: (Answer | undefined)[] = [];
      answers[this.#cells[cell]?.of(value) ?? 0] = answer;
      answer = { cell, answers };
    }
    position.first = position.first === null ? answer : merged(position.first, answer);
  }

  /** Of a state in which nobody can go on: whether it is wrong, or somebody has not ended. */
  isBad(state: ArrayLike<number>): boolean {
    const first = this.#cells.length;
    const isStuck = this.tasks.some(
      ({ isService, positions }, task) =>
        !isService && positions[state[first + task] ?? 0]?.uses !== null,
    );
    if (isStuck) return true;
    const values = this.#cells.map((_cell, index) => this.valueOf(index, state[index] ?? 0));
    return this.#program.isWrongWith(values);
  }

  #positionOf(task: number, { at, name }: Walker, uses: readonly Access[] | null): number {
    const positions = this.tasks[task]?.positions ?? [];
    const number = this.#ats[task]?.of(at) ?? 0;
    const known = positions[number];
    if (known === undefined) positions[number] = { uses, first: null };
    else if (labelsOf(known.uses) !== labelsOf(uses)) {
      throw new Error(`${name} stands before two different steps at ${String(at)}`);
    }
    return number;
  }
}

function labelsOf(uses: readonly Access[] | null): string {
  return uses?.map(({ label, mode }) => `${label} ${String(mode)}`).join() ?? "the end";
}

/** The two as one: they differ in the answer to some question. */
function merged(known: Answer, other: Answer): Answer {
  if (!isQuestion(known) || !isQuestion(other) || known.cell !== other.cell) {
    throw new Error("the same step asked something else of the same cells");
  }
  for (const [number, answer] of other.answers.entries()) {
    if (answer === undefined) continue;
    const before = known.answers[number];
    known.answers[number] = before === undefined ? answer : merged(before, answer);
  }
  return known;
}
