import { Mutex, type Awaitable, RwSemaphore, type Task } from "@blkstack/task";
import type { OriginTurnPolicy } from "./origin-turn.ts";

/** What guards the exceptions of one snapshot while bios are mapped and while copies are completed. */
export interface SnapshotLock {
  /** Before a map looks at the exceptions. Waits: while somebody else changes them. */
  enterMap(task: Task): Awaitable<void>;
  leaveMap(task: Task): void;
  /** Before a copy is turned into an exception. Waits: while a map looks at them. */
  enterChange(task: Task): Awaitable<void>;
  leaveChange(task: Task): void;
  /** Whether a map would be let in at once. */
  readonly isOpenToMaps: boolean;
}

/** Maps do not keep each other out: since 2019. */
export class SharedLock implements SnapshotLock {
  readonly #lock: RwSemaphore;

  constructor(name: string) {
    this.#lock = new RwSemaphore(name);
  }

  get isOpenToMaps(): boolean {
    return this.#lock.holders.length === 0;
  }

  enterMap(task: Task): Awaitable<void> {
    return this.#lock.readLock(task);
  }

  leaveMap(task: Task): void {
    this.#lock.readUnlock(task);
  }

  enterChange(task: Task): Awaitable<void> {
    return this.#lock.writeLock(task);
  }

  leaveChange(task: Task): void {
    this.#lock.writeUnlock(task);
  }
}

/** One at a time, whatever it does: until 2019. */
export class ExclusiveLock implements SnapshotLock {
  readonly #lock: Mutex;

  constructor(name: string) {
    this.#lock = new Mutex(name);
  }

  get isOpenToMaps(): boolean {
    return this.#lock.owner === null;
  }

  enterMap(task: Task): Awaitable<void> {
    return this.#lock.lock(task);
  }

  leaveMap(task: Task): void {
    this.#lock.unlock(task);
  }

  enterChange(task: Task): Awaitable<void> {
    return this.#lock.lock(task);
  }

  leaveChange(task: Task): void {
    this.#lock.unlock(task);
  }
}

/** A committed copy, to whoever turns it into an exception. */
export interface SettlingCopy {
  readonly lock: SnapshotLock;
  /** Waits: until no read of the chunk is under way to the origin. */
  drain(task: Task): Awaitable<void>;
  /** Has new reads go to the store. With the lock. Waits: never. */
  insert(): void;
}

/**
 * Turns a committed copy into an exception. Who waits for the chunk goes on when this returns, and
 * then no read may be under way to the origin. Waits: for the lock and for reads.
 */
export type SettlePolicy = (copy: SettlingCopy, task: Task) => Promise<void>;

/** Waits for reads when it has let go of the lock; new ones go to the store, so the wait ends. */
const settleUnlocked: SettlePolicy = async (copy, task) => {
  await copy.lock.enterChange(task);
  copy.insert();
  copy.lock.leaveChange(task);
  await copy.drain(task);
};

/** Waits for reads while it keeps all maps out, as until Linux 5.1. */
const settleUnderLock: SettlePolicy = async (copy, task) => {
  await copy.lock.enterChange(task);
  await copy.drain(task);
  copy.insert();
  copy.lock.leaveChange(task);
};

/** A chunk that is about to be written in the origin, and that a snapshot has begun to copy. */
export interface WrittenChunk {
  /** Whether reads of the snapshot find it in the store by now. */
  readonly hasException: boolean;
}

/** What was done otherwise in other years. The defaults are the best that is known. */
export interface SnapshotPolicies {
  /** `shared` unless told; a function makes one of your own, given a name for it. */
  readonly lock: "shared" | "exclusive" | ((name: string) => SnapshotLock);
  /**
   * Whether a finished copy waits for reads of the origin after it has let go of the lock, or while
   * it holds it, as until Linux 5.1; `unlocked` unless told.
   */
  readonly wait: "unlocked" | "under-lock" | SettlePolicy;
  /** How many copies may be under way before writes wait; `Infinity` is no throttle. 2048 unless told. */
  readonly copiesMax: number;
  /**
   * Where a write to the origin waits while there are too many copies: with no lock at all, or, as in
   * 2018, with the lock that new snapshots want to register; `unlocked` unless told.
   */
  readonly cowThrottle: "unlocked" | "under-origins-lock" | OriginTurnPolicy;
  /** Pending exceptions that each snapshot has in reserve, for when there is no memory; 256 unless told. */
  readonly pendingReserve: number;
  /**
   * Which writes to the origin wait for a snapshot that has begun to copy their chunk: all, `while-pending`,
   * unless told.
   */
  readonly originWaits: "while-pending" | ((chunk: WrittenChunk) => boolean);
  /**
   * Where a chunk is looked for again once there is memory for its exception, for which the lock was
   * let go of: in `both` tables unless told, or, as it once was, among the pending ones only.
   */
  readonly rechecks: "both" | "pending-only";
  /**
   * Whether nobody writes to the origin while a snapshot begins to keep what is written over, or takes
   * over from another: `still` unless told; `live`, as it once was, leaves that to people.
   */
  readonly activation: "still" | "live";
  /** Whether a merge has other snapshots keep what it writes over; yes unless told. */
  readonly mergePreserves: boolean;
  /**
   * In which order finished copies are committed: that of their chunks in the store, or `as-copied`,
   * that of their ends, as it once was; `in-order` unless told.
   */
  readonly commits: "in-order" | "as-copied";
  /** Whether the origin is flushed before merged exceptions are forgotten; yes unless told. */
  readonly mergeFlush: boolean;
}

export const SNAPSHOT_POLICIES: SnapshotPolicies = {
  lock: "shared",
  wait: "unlocked",
  copiesMax: 2048,
  cowThrottle: "unlocked",
  pendingReserve: 256,
  originWaits: "while-pending",
  rechecks: "both",
  activation: "still",
  mergePreserves: true,
  commits: "in-order",
  mergeFlush: true,
};

export function lockOf({ lock }: SnapshotPolicies, name: string): SnapshotLock {
  if (lock === "shared") return new SharedLock(name);
  return lock === "exclusive" ? new ExclusiveLock(name) : lock(name);
}

export function settlePolicyOf({ wait }: SnapshotPolicies): SettlePolicy {
  if (wait === "unlocked") return settleUnlocked;
  return wait === "under-lock" ? settleUnderLock : wait;
}
