import type { Access } from "@blkstack/task";
import { type Actor, ExploredTask, type PendingInterrupt, TaskState } from "./actor.ts";
import type { StateTable } from "./state-table.ts";

/** Marks of what a history goes on with; above every mode of access. */
const RAISED = 8;
const RESUMED = 9;
const OUTCOME = 16;

/** Who could still do something. */
interface Population {
  readonly tasks: readonly ExploredTask[];
  readonly interrupts: readonly PendingInterrupt[];
  readonly time: { nowMs(): number };
}

/** Keeps each actor's history during one run, and recognises states that were seen before. */
export class Histories {
  readonly #table: StateTable;
  readonly #population: Population;
  /** Of interrupts that were handled: what they did is done, and not by any task. */
  readonly #over: number[] = [];

  constructor(table: StateTable, population: Population) {
    this.#table = table;
    this.#population = population;
    table.forRun();
  }

  created(actor: Actor, by: Actor | null): void {
    const fresh = this.#table.begin(
      actor instanceof ExploredTask ? actor.name : actor.source.label,
    );
    if (by === null) {
      actor.history = fresh;
      return;
    }
    by.history = this.#table.then(by.history, RAISED);
    actor.history = this.#table.then(fresh, by.history);
  }

  use(actor: Actor, access: Access): void {
    actor.history = this.#table.use(actor.history, access);
  }

  learned(actor: Actor, outcome: number): void {
    actor.history = this.#table.then(actor.history, OUTCOME + outcome);
  }

  woken(sleeper: ExploredTask, by: Actor | null): void {
    sleeper.wakerHistory = by === null ? RESUMED : by.history;
  }

  resumed(task: ExploredTask): void {
    if (task.wakerHistory === 0) return;
    task.history = this.#table.then(task.history, task.wakerHistory);
    task.wakerHistory = 0;
  }

  handled(interrupt: PendingInterrupt): void {
    this.#over.push(interrupt.history);
  }

  /** Notes the present state; whether it was seen before. `extra` is what else there is to it. */
  isKnown(extra: string): boolean {
    return !this.#table.visit(this.#key() + extra);
  }

  #key(): string {
    const { tasks, interrupts, time } = this.#population;
    let key = "";
    const { isAllInCells } = this.#table;
    for (const task of tasks) {
      // Whoever has ended learns no more, and what it left is in the cells.
      if (isAllInCells && task.state === TaskState.Done) {
        key += "-,";
        continue;
      }
      const state = task.state === TaskState.Sleeping ? "s" : ".";
      key += `${String(task.history)}${state}${String(task.wakerHistory)},`;
    }
    key += sorted(interrupts.map((interrupt) => interrupt.history));
    return `${key};${sorted(this.#over)};${String(time.nowMs())};`;
  }
}

function sorted(histories: readonly number[]): string {
  return [...histories].sort((a, b) => a - b).join(",");
}
