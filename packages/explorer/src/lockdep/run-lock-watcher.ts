import type { InterruptSource, LockWatcher, Task } from "@blkstack/task";

/** A watcher of locks that is told of interrupts too, in which locks are taken by nobody. */
export interface RunLockWatcher extends LockWatcher {
  /** `source` interrupts: for real inside the very call. `by` is null in an interrupt. */
  raised(source: InterruptSource, by: Task | null): void;
  /** A handler runs; null: a timer's. */
  interruptBegins(source: InterruptSource | null): void;
}
