import type { Gfp } from "./gfp.ts";
import type { Task } from "./task.ts";

/** How a lock is taken: an or of these, 0 for alone and with patience. */
export const LockMode = {
  /** Beside others that take it shared. */
  Shared: 0x1,
  /** Without waiting for it: told of only when that succeeded. */
  Try: 0x2,
} as const;
export type LockMode = number;

/** Whatever is held and waited for by tasks. */
export interface WatchedLock {
  /** What people call this one: `mutex "fan-out of md0"`. */
  readonly label: string;
  /** What those have in common that follow the same rules; null: the label without its numbers. */
  readonly lockClass: string | null;
}

export interface LockOptions {
  /**
   * The locks of one class follow the same rules, so that an order seen with two of them holds for
   * all. Default: what is left of the label without its numbers.
   */
  readonly lockClass?: string;
}

/**
 * Told who takes which lock and who allocates how, to learn from runs that went well what could
 * have gone wrong. Only where schedules are explored; it changes nothing.
 */
export interface LockWatcher {
  /** The task takes the lock, or begins to wait for it. */
  acquires(lock: WatchedLock, task: Task, mode: LockMode): void;
  /** The task drops the lock. */
  releases(lock: WatchedLock, task: Task): void;
  /** The task waits until the lock is free, and does not keep it: a flush. */
  awaits(lock: WatchedLock, task: Task): void;
  /**
   * The task asks for memory, and may have to reclaim some as far as `gfp` allows, which is what
   * its scopes leave of its mask. `pool` is the reserve that is asked; null: memory itself, at
   * the slab or allocator that `site` names.
   */
  allocates(task: Task, gfp: Gfp, site: string, pool: object | null): void;
  /** From here to `leavesReclaim` the task frees the memory of others, as far as `gfp` allows. */
  entersReclaim(task: Task, gfp: Gfp): void;
  /** The task is done with that. */
  leavesReclaim(task: Task): void;
  /** The task has an element of a reserve. */
  takes(pool: object, element: object, task: Task): void;
  /** The element is in the reserve again, or in memory; whoever brought it. */
  givesBack(pool: object, element: object): void;
}
