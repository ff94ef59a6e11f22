import { invariant } from "@blkstack/bio";
import type { LockOptions, WatchedLock } from "./lock-watcher.ts";
import { type Access, AccessMode } from "./scheduler.ts";
import type { Task } from "./task.ts";

/**
 * A lock that nobody waits for asleep: while it is held its task must not sleep.
 *
 * One thread runs at a time and none is preempted while it holds one, so a contended spinlock would
 * spin for ever: an invariant violation.
 */
export class Spinlock implements WatchedLock {
  readonly label: string;
  readonly lockClass: string | null;
  readonly #lock: Access;
  readonly #unlock: Access;
  #owner: Task | null = null;

  constructor(name: string, { lockClass }: LockOptions = {}) {
    this.label = `spinlock "${name}"`;
    this.lockClass = lockClass ?? null;
    this.#lock = { object: this, mode: AccessMode.Acquire, label: `lock ${this.label}` };
    this.#unlock = { object: this, mode: AccessMode.Release, label: `unlock ${this.label}` };
  }

  /** Waits: for its turn to run, never for the lock. Until `unlock`, sleeping is a defect. */
  lock(task: Task): Promise<void> | undefined {
    const { scheduler } = task;
    if (task.atomicDepth > 0 || scheduler.inInterrupt) {
      // Nobody else can run here, so there is nothing to choose.
      scheduler.touch(this.#lock);
      this.#enter(task);
      return undefined;
    }
    const turn = scheduler.mayPreempt(task, this.#lock);
    if (turn !== undefined) return this.#enterAfter(turn, task);
    this.#enter(task);
    return undefined;
  }

  /** Waits: never. */
  unlock(task: Task): void {
    invariant(this.#owner === task, `${task.name} unlocks ${this.label}, which is not its own`);
    task.scheduler.touch(this.#unlock);
    task.scheduler.lockWatcher?.releases(this, task);
    this.#owner = null;
    task.atomicDepth -= 1;
  }

  async #enterAfter(turn: Promise<void>, task: Task): Promise<void> {
    await turn;
    this.#enter(task);
  }

  #enter(task: Task): void {
    const { name = "" } = this.#owner ?? {};
    invariant(
      this.#owner === null,
      `${task.name} would spin for ever on ${this.label}, which ${name} holds`,
    );
    task.scheduler.lockWatcher?.acquires(this, task, 0);
    this.#owner = task;
    task.atomicDepth += 1;
  }
}
