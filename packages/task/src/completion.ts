import type { Awaitable } from "./awaitable.ts";
import { type Access, AccessMode, type Scheduler, WakeReason } from "./scheduler.ts";
import { assertMaySleep, type Task } from "./task.ts";
import { WaitQueue } from "./wait-queue.ts";
import type { EndsBy, Waitable } from "./waitable.ts";

export interface CompletionOptions {
  /** Lets the scheduler know of `complete`; needed where schedules are explored. */
  readonly scheduler?: Scheduler;
  /** Who could complete it, for the wait-for graph. */
  readonly blockers?: () => readonly object[];
  /** Whether nobody but `blockers` could. */
  readonly endsBy?: EndsBy;
}

/** Lets tasks wait for something to be done: each `complete` lets one wait pass, before or after it. */
export class Completion implements Waitable {
  readonly label: string;
  readonly #waiters: WaitQueue;
  readonly #take: Access;
  readonly #give: Access;
  #scheduler: Scheduler | null;
  /** How many waits may pass; infinite after `completeAll`. */
  #doneCount = 0;

  constructor(name: string, { scheduler, blockers = nobody, endsBy }: CompletionOptions = {}) {
    this.label = `completion "${name}"`;
    this.#waiters = new WaitQueue(this.label, { blockers, endsBy });
    this.#take = { object: this, mode: AccessMode.Acquire, label: `wait for ${this.label}` };
    this.#give = { object: this, mode: AccessMode.Release, label: `complete ${this.label}` };
    this.#scheduler = scheduler ?? null;
  }

  /** Whether a wait would pass. */
  get isDone(): boolean {
    return this.#doneCount > 0;
  }

  blockers(): readonly object[] {
    return this.#waiters.blockers();
  }

  get endsBy(): EndsBy | undefined {
    return this.#waiters.endsBy;
  }

  /** Lets one wait pass, the longest waiting first. Waits: never. */
  complete(): void {
    this.#scheduler?.touch(this.#give);
    this.#doneCount += 1;
    this.#waiters.wakeOne();
  }

  /** Lets every wait pass, also those to come, until `reset`. Waits: never. */
  completeAll(): void {
    this.#scheduler?.touch(this.#give);
    this.#doneCount = Infinity;
    this.#waiters.wakeAll();
  }

  /** Forgets what was completed. Waits: never. */
  reset(): void {
    this.#scheduler?.touch(this.#take);
    this.#doneCount = 0;
  }

  /**
   * Answers true, or false when `timeoutMs` went by first.
   *
   * Waits: until completed.
   */
  wait(task: Task, timeoutMs?: number): Awaitable<boolean> {
    assertMaySleep(task, this.label);
    this.#scheduler ??= task.scheduler;
    const turn = task.scheduler.mayPreempt(task, this.#take);
    if (turn !== undefined) return this.#waitAfter(turn, task, timeoutMs);
    return this.#takeDone() || this.#wait(task, timeoutMs);
  }

  #takeDone(): boolean {
    if (this.#doneCount === 0) return false;
    this.#doneCount -= 1;
    return true;
  }

  async #waitAfter(turn: Promise<void>, task: Task, timeoutMs?: number): Promise<boolean> {
    await turn;
    return this.#takeDone() || this.#wait(task, timeoutMs);
  }

  async #wait(task: Task, timeoutMs?: number): Promise<boolean> {
    const { clock } = task.scheduler;
    const endMs = timeoutMs === undefined ? undefined : clock.nowMs() + timeoutMs;
    for (;;) {
      const leftMs = endMs === undefined ? undefined : Math.max(0, endMs - clock.nowMs());
      const reason = await this.#waiters.sleepExclusive(task, leftMs);
      if (this.#takeDone()) return true;
      if (reason === WakeReason.TimedOut) return false;
    }
  }
}

function nobody(): readonly object[] {
  return [];
}
