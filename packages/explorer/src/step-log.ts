import type { Access } from "@blkstack/task";
import type { Actor, ExploredTask } from "./actor.ts";
import type { Cell } from "./cell.ts";

/** What a strategy that reasons about steps wants to be told of each run. */
export interface StepLog {
  /** A model's number was made, in the order of the build. */
  cellMade(cell: Cell): void;
  /** The present step uses something besides what it announced. */
  used(access: Access): void;
  /** The present step has a timer fire at this time. */
  timerArmed(atMs: number): void;
  /** The present step cancels a timer that could have fired before. */
  timerCancelled?(timer: Actor): void;
  /** The present step spawned a task or raised an interrupt. */
  made(actor: Actor): void;
  woke(task: ExploredTask): void;
  /** Nobody can go on, and time moves: what follows comes after all that was before. */
  timeMoves(tasks: readonly ExploredTask[]): void;
  /** The run is over, with these tasks where they stand. */
  runOver(tasks: readonly ExploredTask[]): void;
}
