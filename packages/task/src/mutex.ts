import { invariant } from "@blkstack/bio";
import type { Awaitable } from "./awaitable.ts";
import { LockMode, type LockOptions, type WatchedLock } from "./lock-watcher.ts";
import { type Access, AccessMode } from "./scheduler.ts";
import { assertMaySleep, type Task } from "./task.ts";
import type { EndsBy, Waitable } from "./waitable.ts";

interface Waiter {
  readonly task: Task;
  isGranted: boolean;
}

/**
 * A lock that is waited for asleep: one owner, who alone unlocks it, and not twice by one task.
 *
 * Handed over first come, first served: nobody who comes later overtakes a sleeper.
 */
export class Mutex implements Waitable, WatchedLock {
  readonly label: string;
  readonly lockClass: string | null;
  readonly endsBy: EndsBy = "any";
  readonly #lock: Access;
  readonly #unlock: Access;
  readonly #waiting: Waiter[] = [];
  #owner: Task | null = null;

  constructor(name: string, { lockClass }: LockOptions = {}) {
    this.label = `mutex "${name}"`;
    this.lockClass = lockClass ?? null;
    this.#lock = { object: this, mode: AccessMode.Acquire, label: `lock ${this.label}` };
    this.#unlock = { object: this, mode: AccessMode.Release, label: `unlock ${this.label}` };
  }

  get owner(): Task | null {
    return this.#owner;
  }

  blockers(): readonly object[] {
    return this.#owner === null ? [] : [this.#owner];
  }

  /** Waits: until the owner and those who waited before have unlocked; for ever if that is `task`. */
  lock(task: Task): Awaitable<void> {
    assertMaySleep(task, this.label);
    const turn = task.scheduler.mayPreempt(task, this.#lock);
    if (turn !== undefined) return this.#lockAfter(turn, task);
    task.scheduler.lockWatcher?.acquires(this, task, 0);
    return this.#take(task) ? undefined : this.#wait(task);
  }

  /** Locks if nobody else has. Waits: never. */
  tryLock(task: Task): boolean {
    const { scheduler } = task;
    scheduler.touch(this.#lock);
    if (!this.#take(task)) return false;
    scheduler.lockWatcher?.acquires(this, task, LockMode.Try);
    return true;
  }

  /** Gives the lock to whoever waits longest. Waits: never. */
  unlock(task: Task): void {
    invariant(this.#owner === task, `${task.name} unlocks ${this.label}, which is not its own`);
    task.scheduler.touch(this.#unlock);
    task.scheduler.lockWatcher?.releases(this, task);
    const next = this.#waiting.shift();
    this.#owner = next?.task ?? null;
    if (next === undefined) return;
    next.isGranted = true;
    next.task.scheduler.wake(next.task);
  }

  #take(task: Task): boolean {
    if (this.#owner !== null) return false;
    this.#owner = task;
    return true;
  }

  async #lockAfter(turn: Promise<void>, task: Task): Promise<void> {
    await turn;
    task.scheduler.lockWatcher?.acquires(this, task, 0);
    if (!this.#take(task)) await this.#wait(task);
  }

  async #wait(task: Task): Promise<void> {
    const waiter: Waiter = { task, isGranted: false };
    this.#waiting.push(waiter);
    do await task.scheduler.sleep(task, this);
    while (!waiter.isGranted);
  }
}
