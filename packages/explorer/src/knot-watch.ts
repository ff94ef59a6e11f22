import type { Waitable } from "@blkstack/task";
import { ExploredTask } from "./actor.ts";
import type { Finding } from "./finding.ts";
import type { RunWatcher } from "./run-watcher.ts";
import { WaitForGraph, type WaitNode } from "./wait-for-graph.ts";
import type { RunWorld } from "./world.ts";

/**
 * Ends a run at the instant at which a knot forms: others may be able to go on, for ever even, but
 * none of them can untie it. Asked only when a task blocks, for nothing else ties knots.
 */
export class KnotWatch implements RunWatcher {
  readonly #world: RunWorld;
  /** Who may have blocked in the present step; made when somebody first does. */
  #blocked: ExploredTask[] | null = null;
  #isDone = false;

  constructor(world: RunWorld) {
    this.#world = world;
  }

  slept(task: ExploredTask, on: Waitable): void {
    if (on.endsBy !== undefined) (this.#blocked ??= []).push(task);
  }

  blocked(task: ExploredTask): void {
    if (isClosed(task.access.object)) (this.#blocked ??= []).push(task);
  }

  settled(): void {
    if (this.#blocked === null) return;
    const mustLook = this.#blocked.some((task) => this.#mayBeHopeless(task));
    this.#blocked = null;
    if (!mustLook || this.#isDone) return;
    const knot = new WaitForGraph(this.#world, this.#world.vocabularies).knot();
    if (knot === null) return;
    this.#isDone = true;
    this.#world.scheduler.found(deadlockOf(knot));
  }

  /** False for nearly all waits, at the first look: it need not be right when it is true. */
  #mayBeHopeless(task: ExploredTask): boolean {
    if (this.#world.scheduler.isProbing || task.isEnabled || task.hasTimeout) return false;
    const on = task.waitingFor ?? task.access.object;
    if (!isClosed(on)) return false;
    const canMove = (other: object): boolean => other instanceof ExploredTask && other.isEnabled;
    const blockers = on.blockers();
    return on.endsBy === "any" ? !blockers.some(canMove) : !blockers.every(canMove);
  }
}

/** Whether it is known who can end a wait for this. */
function isClosed(thing: object): thing is Waitable {
  return (thing as Partial<Waitable>).endsBy !== undefined;
}

/** The circle in words: each waits for the next. */
export function deadlockOf(knot: readonly WaitNode[]): Finding {
  return { kind: "DEADLOCK", message: knot.map(({ name }) => name).join(" -> ") };
}
