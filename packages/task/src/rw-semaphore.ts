import { invariant } from "@blkstack/bio";
import type { Awaitable } from "./awaitable.ts";
import { LockMode, type LockOptions, type WatchedLock } from "./lock-watcher.ts";
import { type Access, AccessMode } from "./scheduler.ts";
import { assertMaySleep, type Task } from "./task.ts";
import type { EndsBy, Waitable } from "./waitable.ts";

interface Waiter {
  readonly task: Task;
  readonly isWriter: boolean;
  isGranted: boolean;
}

/**
 * A lock for many readers or one writer, waited for asleep.
 *
 * Fair: once a writer waits, readers that come later queue behind it. So a task that read-locks
 * again while it holds the lock waits for ever as soon as a writer came in between.
 */
export class RwSemaphore implements Waitable, WatchedLock {
  readonly label: string;
  readonly lockClass: string | null;
  /** Who waits is a writer, or stands behind one: every reader is in its way. */
  readonly endsBy: EndsBy = "all";
  readonly #read: Access;
  readonly #write: Access;
  readonly #release: Access;
  readonly #readers: Task[] = [];
  readonly #waiting: Waiter[] = [];
  #writer: Task | null = null;

  constructor(name: string, { lockClass }: LockOptions = {}) {
    this.label = `rwsem "${name}"`;
    this.lockClass = lockClass ?? null;
    this.#read = { object: this, mode: AccessMode.Read, label: `read-lock ${this.label}` };
    this.#write = { object: this, mode: AccessMode.Acquire, label: `write-lock ${this.label}` };
    this.#release = { object: this, mode: AccessMode.Release, label: `unlock ${this.label}` };
  }

  /** Who reads, or the one that writes; a task that reads twice is there twice. */
  get holders(): readonly Task[] {
    return this.#writer === null ? this.#readers : [this.#writer];
  }

  blockers(): readonly object[] {
    return this.holders;
  }

  /** Waits: while somebody writes, or waits to. */
  readLock(task: Task): Awaitable<void> {
    return this.#lock(task, false);
  }

  /** Waits: while somebody reads or writes, or came first. */
  writeLock(task: Task): Awaitable<void> {
    return this.#lock(task, true);
  }

  /** Waits: never. */
  tryReadLock(task: Task): boolean {
    task.scheduler.touch(this.#read);
    return this.#tryTake(task, false);
  }

  /** Waits: never. */
  tryWriteLock(task: Task): boolean {
    task.scheduler.touch(this.#write);
    return this.#tryTake(task, true);
  }

  /** Waits: never. */
  readUnlock(task: Task): void {
    const index = this.#readers.indexOf(task);
    invariant(index >= 0, `${task.name} read-unlocks ${this.label}, which it does not read`);
    task.scheduler.touch(this.#release);
    task.scheduler.lockWatcher?.releases(this, task);
    this.#readers.splice(index, 1);
    this.#grant();
  }

  /** Waits: never. */
  writeUnlock(task: Task): void {
    invariant(
      this.#writer === task,
      `${task.name} write-unlocks ${this.label}, which is not its own`,
    );
    task.scheduler.touch(this.#release);
    task.scheduler.lockWatcher?.releases(this, task);
    this.#writer = null;
    this.#grant();
  }

  #lock(task: Task, isWriter: boolean): Awaitable<void> {
    assertMaySleep(task, this.label);
    const turn = task.scheduler.mayPreempt(task, isWriter ? this.#write : this.#read);
    if (turn !== undefined) return this.#lockAfter(turn, task, isWriter);
    this.#announce(task, isWriter);
    return this.#take(task, isWriter) ? undefined : this.#wait(task, isWriter);
  }

  async #lockAfter(turn: Promise<void>, task: Task, isWriter: boolean): Promise<void> {
    await turn;
    this.#announce(task, isWriter);
    if (!this.#take(task, isWriter)) await this.#wait(task, isWriter);
  }

  async #wait(task: Task, isWriter: boolean): Promise<void> {
    const waiter: Waiter = { task, isWriter, isGranted: false };
    this.#waiting.push(waiter);
    do await task.scheduler.sleep(task, this);
    while (!waiter.isGranted);
  }

  #announce(task: Task, isWriter: boolean): void {
    task.scheduler.lockWatcher?.acquires(this, task, isWriter ? 0 : LockMode.Shared);
  }

  #tryTake(task: Task, isWriter: boolean): boolean {
    if (!this.#take(task, isWriter)) return false;
    const mode = isWriter ? LockMode.Try : LockMode.Try | LockMode.Shared;
    task.scheduler.lockWatcher?.acquires(this, task, mode);
    return true;
  }

  #take(task: Task, isWriter: boolean): boolean {
    if (this.#waiting.length > 0 || !this.#isFreeFor(isWriter)) return false;
    this.#hold(task, isWriter);
    return true;
  }

  #isFreeFor(isWriter: boolean): boolean {
    return this.#writer === null && (!isWriter || this.#readers.length === 0);
  }

  #hold(task: Task, isWriter: boolean): void {
    if (isWriter) this.#writer = task;
    else this.#readers.push(task);
  }

  /** Lets in from the head of the queue: one writer, or all the readers before the next writer. */
  #grant(): void {
    for (;;) {
      const next = this.#waiting[0];
      if (next === undefined || !this.#isFreeFor(next.isWriter)) return;
      this.#waiting.shift();
      this.#hold(next.task, next.isWriter);
      next.isGranted = true;
      next.task.scheduler.wake(next.task);
    }
  }
}
