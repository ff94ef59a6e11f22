import type { InterruptSource, LockWatcher, Task, Waitable } from "@blkstack/task";

/** A watcher of locks that is told of interrupts too, in which locks are taken by nobody. */
export interface RunLockWatcher extends LockWatcher {
  /** `source` interrupts: for real inside the very call. `by` is null in an interrupt. */
  raised(source: InterruptSource, by: Task | null): void;
  /** The task goes to sleep. */
  sleeps(task: Task, on: Waitable): void;
  /** A handler runs; null: a timer's. */
  interruptBegins(source: InterruptSource | null): void;
}
