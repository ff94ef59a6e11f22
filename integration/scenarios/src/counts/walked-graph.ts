import type { NamedProgram } from "./programs.ts";
import { type Answer, type Effect, isQuestion, StepTables } from "./step-tables.ts";

/** Where the step of a task that cannot go on leads to. */
export const BLOCKED = -1;
/** That a task has ended. */
const ENDED = -2;

/** Where a search for more states stands: a step of which the tables do not know what it does. */
interface Unknown {
  readonly state: number;
  readonly task: number;
}

/** All states of a program, each a row of bytes, walked by tables of what its tasks' steps do. */
export class WalkedGraph {
  readonly tables: StepTables;
  readonly taskCount: number;
  /** For each state and each task, the state that its step leads to, or `BLOCKED` or `ENDED`. */
  next: Int32Array = new Int32Array(1024);
  stateCount = 0;
  readonly #width: number;
  readonly #firstTask: number;
  #bytes = new Uint8Array(1024);
  /** The state and the task whose step led to each state first. */
  #cameFrom = new Int32Array(1024);
  #slots = new Int32Array(1024).fill(-1);
  readonly #scratch: Uint8Array;
  readonly #unknown: Unknown[] = [];

  private constructor(tables: StepTables) {
    this.tables = tables;
    this.taskCount = tables.tasks.length;
    this.#width = tables.start.length;
    this.#firstTask = this.#width - this.taskCount;
    this.#scratch = Uint8Array.from(tables.start);
  }

  static async of(program: NamedProgram): Promise<WalkedGraph> {
    const graph = new WalkedGraph(await StepTables.of(program));
    graph.#intern(-1);
    let walked = 0;
    for (;;) {
      for (; walked < graph.stateCount; walked += 1) graph.#walk(walked);
      if (graph.#unknown.length === 0) return graph;
      for (const { state, task } of graph.#unknown.splice(0)) {
        if (graph.#step(state, task)) continue;
        await graph.tables.learn(graph.#pathTo(state), task);
        graph.#step(state, task);
      }
    }
  }

  /** The bytes of a state: one for each cell, one for each task. */
  bytesOf(state: number): Uint8Array {
    return this.#bytes.subarray(state * this.#width, (state + 1) * this.#width);
  }

  /** Where a task stands in a state, as an index of its positions. */
  positionOf(state: number, task: number): number {
    return this.#bytes[state * this.#width + this.#firstTask + task] ?? 0;
  }

  isBad(state: number): boolean {
    return this.tables.isBad(this.bytesOf(state));
  }

  #walk(state: number): void {
    for (let task = 0; task < this.taskCount; task += 1) {
      if (!this.#step(state, task)) this.#unknown.push({ state, task });
    }
  }

  /** Links the step of a task in a state to where it leads; false when the tables do not know. */
  #step(state: number, task: number): boolean {
    const edge = state * this.taskCount + task;
    const position = this.tables.tasks[task]?.positions[this.positionOf(state, task)];
    if (position === undefined) throw new Error("a task stands nowhere");
    if (position.uses === null) {
      this.next[edge] = ENDED;
      return true;
    }
    const effect = this.#effectOf(position.first, state * this.#width);
    if (effect === null) return false;
    // The table of links may be another one once a state was added.
    const to = effect.position < 0 ? BLOCKED : this.#after(state, task, effect);
    this.next[edge] = to;
    return true;
  }

  #effectOf(first: Answer | null, row: number): Effect | null {
    let answer: Answer | undefined | null = first;
    for (;;) {
      if (answer === undefined || answer === null) return null;
      if (!isQuestion(answer)) return answer;
      answer = answer.answers[this.#bytes[row + answer.cell] ?? 0];
    }
  }

  #after(state: number, task: number, { cells, values, position }: Effect): number {
    const scratch = this.#scratch;
    const row = state * this.#width;
    for (let i = 0; i < scratch.length; i += 1) scratch[i] = this.#bytes[row + i] ?? 0;
    for (let i = 0; i < cells.length; i += 1) scratch[cells[i] ?? 0] = values[i] ?? 0;
    scratch[this.#firstTask + task] = position;
    return this.#intern(state * this.taskCount + task);
  }

  /** The number of the state in the scratch row; `edge` leads there. */
  #intern(edge: number): number {
    const width = this.#width;
    let hash = 0;
    for (let i = 0; i < width; i += 1) hash = Math.imul(hash ^ (this.#scratch[i] ?? 0), 0x01000193);
    hash ^= hash >>> 15;
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const state = this.#slots[slot] ?? -1;
      if (state < 0) {
        this.#slots[slot] = this.stateCount;
        return this.#add(edge);
      }
      if (this.#isScratch(state * width)) return state;
    }
  }

  #isScratch(row: number): boolean {
    for (let i = 0; i < this.#width; i += 1) {
      if (this.#bytes[row + i] !== this.#scratch[i]) return false;
    }
    return true;
  }

  #add(edge: number): number {
    const state = this.stateCount;
    this.stateCount += 1;
    this.#bytes = withRoom(this.#bytes, this.stateCount * this.#width);
    this.next = withRoom(this.next, this.stateCount * this.taskCount);
    this.#cameFrom = withRoom(this.#cameFrom, this.stateCount);
    this.#bytes.set(this.#scratch, state * this.#width);
    this.#cameFrom[state] = edge;
    if (this.stateCount * 2 > this.#slots.length) this.#rehash();
    return state;
  }

  #rehash(): void {
    const mask = this.#slots.length * 2 - 1;
    this.#slots = new Int32Array(mask + 1).fill(-1);
    for (let state = 0; state < this.stateCount; state += 1) {
      let hash = 0;
      const row = state * this.#width;
      for (let i = 0; i < this.#width; i += 1) {
        hash = Math.imul(hash ^ (this.#bytes[row + i] ?? 0), 0x01000193);
      }
      hash ^= hash >>> 15;
      let slot = hash & mask;
      while ((this.#slots[slot] ?? -1) >= 0) slot = (slot + 1) & mask;
      this.#slots[slot] = state;
    }
  }

  #pathTo(state: number): number[] {
    const path: number[] = [];
    for (let edge = this.#cameFrom[state] ?? -1; edge >= 0;) {
      path.push(edge % this.taskCount);
      edge = this.#cameFrom[Math.floor(edge / this.taskCount)] ?? -1;
    }
    return path.reverse();
  }
}

function withRoom<A extends Uint8Array | Int32Array>(array: A, length: number): A {
  if (length <= array.length) return array;
  const grown = new (array.constructor as new (length: number) => A)(array.length * 2);
  grown.set(array);
  return withRoom(grown, length);
}
