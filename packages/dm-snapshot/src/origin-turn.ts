import type { MapResult } from "@blkstack/block";
import type { Awaitable, RwSemaphore, Task } from "@blkstack/task";

/** A write to an origin with snapshots, to whoever says when it has its turn. */
export interface OriginTurn {
  /** Whether it has waited for a copy, and comes again: on the task that brings copies to an end. */
  readonly isRetry: boolean;
  /** Held exclusively by a snapshot that comes. */
  readonly lock: RwSemaphore;
  /** Waits: while more copies are under way than there may be. */
  waitForCopies(task: Task): Promise<void>;
  /**
   * Has every snapshot keep what is about to be replaced. Waits: for memory, and for the locks of
   * snapshots.
   */
  write(task: Task): Awaitable<MapResult>;
}

/** Answers what `write` does. Waits: for its turn, and as `write` does. */
export type OriginTurnPolicy = (turn: OriginTurn, task: Task) => Promise<MapResult>;

/** As in 2018: snapshots neither come nor go while a write waits for others' copies. */
const underOriginsLock: OriginTurnPolicy = async (turn, task) => {
  await turn.lock.readLock(task);
  if (!turn.isRetry) await turn.waitForCopies(task);
  const result = await turn.write(task);
  turn.lock.readUnlock(task);
  return result;
};

/** Null: the usual way, which makes no promise when nothing waits. */
export function turnPolicyOf(
  policy: "unlocked" | "under-origins-lock" | OriginTurnPolicy,
): OriginTurnPolicy | null {
  if (policy === "unlocked") return null;
  return policy === "under-origins-lock" ? underOriginsLock : policy;
}
