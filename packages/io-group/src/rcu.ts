import { invariant } from "@blkstack/bio";
import {
  type Access,
  AccessMode,
  assertMaySleep,
  type Awaitable,
  type Scheduler,
  type Task,
  type Waitable,
  WaitQueue,
} from "@blkstack/task";

/** What a reader gives back when it is done: which of the two counts it is in. */
export type RcuPhase = 0 | 1;

/**
 * Grace periods: what was unlinked is freed only when all those who may have seen it are done.
 *
 * Readers take no lock and wait for nobody. Two counts will do: a grace period turns new readers to
 * the other count, and ends when the one that they left is empty.
 */
export class Rcu implements Waitable {
  readonly label: string;
  readonly scheduler: Scheduler;
  readonly #readers: [number, number] = [0, 0];
  #phase: RcuPhase = 0;
  /** To be run when the readers of the other phase are done. */
  #leaving: (() => void)[] = [];
  /** Came while a grace period was on, whose readers may be younger than it. */
  #next: (() => void)[] = [];
  readonly #sleepers: WaitQueue;
  /** Who reads: only while exploring, for the wait-for graph. */
  readonly #tasks: Task[] | null;
  readonly #read: Access;
  readonly #defer: Access;

  constructor(scheduler: Scheduler, label = "grace period") {
    this.label = label;
    this.scheduler = scheduler;
    this.#sleepers = new WaitQueue(label, this);
    this.#tasks = scheduler.isExploring ? [] : null;
    // Readers do not mind each other, only who waits for them.
    this.#read = { object: this, mode: AccessMode.Release, label: `read under ${label}` };
    this.#defer = { object: this, mode: AccessMode.Write, label: `wait for ${label}` };
  }

  /** Callbacks that have not run. */
  get pendingCount(): number {
    return this.#leaving.length + this.#next.length;
  }

  /** Those who read at present. Known only while exploring. */
  blockers(): readonly object[] {
    return this.#tasks ?? [];
  }

  /**
   * From here to `readUnlock` with the answer nothing that is deferred is run. The task must not
   * sleep meanwhile. Waits: never.
   */
  readLock(task: Task): RcuPhase {
    if (this.#tasks !== null) {
      this.scheduler.touch(this.#read);
      this.#tasks.push(task);
    }
    this.#readers[this.#phase] += 1;
    return this.#phase;
  }

  /** Waits: never. May run what was deferred. */
  readUnlock(phase: RcuPhase, task: Task): void {
    if (this.#tasks !== null) this.#forget(task, this.#tasks);
    this.#readers[phase] -= 1;
    if (this.#readers[phase] === 0 && phase !== this.#phase) this.#endGracePeriod();
  }

  /**
   * Runs `callback`, which must not sleep, when all present readers are done: at once if there are
   * none. Waits: never.
   */
  defer(callback: () => void): void {
    if (this.#tasks !== null) this.scheduler.touch(this.#defer);
    const other = this.#phase === 0 ? 1 : 0;
    if (this.#readers[other] > 0) {
      this.#next.push(callback);
    } else if (this.#readers[this.#phase] > 0) {
      this.#leaving.push(callback);
      this.#phase = other;
    } else {
      callback();
    }
  }

  /** Waits: until all that was deferred before has run; for ever for a reader. */
  barrier(task: Task): Awaitable<void> {
    assertMaySleep(task, this.label);
    const turn = this.scheduler.mayPreempt(task, this.#defer);
    const isQuiet = (): boolean => this.pendingCount === 0;
    if (turn === undefined) return this.#sleepers.waitUntil(task, isQuiet);
    return turn.then(() => this.#sleepers.waitUntil(task, isQuiet));
  }

  #endGracePeriod(): void {
    while (this.#leaving.length > 0) {
      const callbacks = this.#leaving;
      this.#leaving = this.#next;
      this.#next = [];
      for (const callback of callbacks) callback();
      if (this.#leaving.length === 0) break;
      const left = this.#phase;
      this.#phase = left === 0 ? 1 : 0;
      if (this.#readers[left] > 0) return;
    }
    this.#sleepers.wakeAll();
  }

  #forget(task: Task, tasks: Task[]): void {
    this.scheduler.touch(this.#read);
    const index = tasks.indexOf(task);
    invariant(index >= 0, `${task.name} ends a read under ${this.label} that it did not begin`);
    tasks.splice(index, 1);
  }
}
