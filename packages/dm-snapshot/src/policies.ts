import { Mutex, type Awaitable, RwSemaphore, type Task } from "@blkstack/task";

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

/** What was done otherwise in other years. The defaults are the best that is known. */
export interface SnapshotPolicies {
  /** `shared` unless told. */
  readonly lock: "shared" | "exclusive";
  /**
   * Whether a finished copy waits for reads of the origin after it has let go of the lock, or while
   * it holds it, as until Linux 5.1; `unlocked` unless told.
   */
  readonly wait: "unlocked" | "under-lock";
  /** How many copies may be under way before writes wait; `Infinity` is no throttle. 2048 unless told. */
  readonly copiesMax: number;
  /** Whether writes that are throttled wait with the list of origins locked, as in 2018; no unless told. */
  readonly throttleUnderOriginsLock: boolean;
  /** Whether the origin is flushed before merged exceptions are forgotten; yes unless told. */
  readonly mergeFlush: boolean;
}

export const SNAPSHOT_POLICIES: SnapshotPolicies = {
  lock: "shared",
  wait: "unlocked",
  copiesMax: 2048,
  throttleUnderOriginsLock: false,
  mergeFlush: true,
};
