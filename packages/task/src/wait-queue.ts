import type { Awaitable } from "./awaitable.ts";
import { WakeReason } from "./scheduler.ts";
import { assertMaySleep, type Task } from "./task.ts";
import type { EndsBy, Waitable } from "./waitable.ts";

const NOBODY: readonly object[] = [];
/** In the way of those who sleep on a queue of which nothing is known. */
const UNKNOWN: Pick<Waitable, "blockers" | "endsBy"> = { blockers: () => NOBODY };

/**
 * Tasks that sleep until somebody says that something changed.
 *
 * The change itself is the caller's: test the condition, then call `sleep` with no wait in between,
 * and test again afterwards. The queue records no access; touch the condition's object.
 */
export class WaitQueue implements Waitable {
  readonly label: string;
  /** Woken all together; the one that came last stands first. */
  readonly #shared: Task[] = [];
  /** Woken one at a time, first come, first served. */
  readonly #exclusive: Task[] = [];
  readonly #wakers: Pick<Waitable, "blockers" | "endsBy">;

  /** `label` is what sleepers are said to wait for; `wakers` who could wake them. */
  constructor(label: string, wakers: Pick<Waitable, "blockers" | "endsBy"> = UNKNOWN) {
    this.label = label;
    this.#wakers = wakers;
  }

  get endsBy(): EndsBy | undefined {
    return this.#wakers.endsBy;
  }

  get isEmpty(): boolean {
    return this.#shared.length === 0 && this.#exclusive.length === 0;
  }

  blockers(): readonly object[] {
    return this.#wakers.blockers();
  }

  /**
   * Sleeps until any wake-up, or for `timeoutMs`; `isRetry` as in `TimerSource`.
   *
   * Waits: until woken.
   */
  sleep(task: Task, timeoutMs?: number, isRetry?: boolean): Promise<WakeReason> {
    assertMaySleep(task, this.label);
    this.#shared.push(task);
    return this.#sleepIn(this.#shared, task, timeoutMs, isRetry);
  }

  /** As `sleep`, but `wakeOne` wakes only one such sleeper: for those who would take what is there. */
  sleepExclusive(task: Task, timeoutMs?: number, isRetry?: boolean): Promise<WakeReason> {
    assertMaySleep(task, this.label);
    this.#exclusive.push(task);
    return this.#sleepIn(this.#exclusive, task, timeoutMs, isRetry);
  }

  /** Sleeps, not exclusively, until `condition` holds. Waits: only while it does not. */
  waitUntil(task: Task, condition: () => boolean): Awaitable<void> {
    assertMaySleep(task, this.label);
    return condition() ? undefined : this.#waitUntil(task, condition);
  }

  /** Wakes one exclusive sleeper and all that are not. Waits: never. */
  wakeOne(): void {
    this.#wakeShared();
    wake(this.#exclusive.shift());
  }

  /** Waits: never. */
  wakeAll(): void {
    this.#wakeShared();
    while (this.#exclusive.length > 0) wake(this.#exclusive.shift());
  }

  #wakeShared(): void {
    while (this.#shared.length > 0) wake(this.#shared.pop());
  }

  async #waitUntil(task: Task, condition: () => boolean): Promise<void> {
    do await this.sleep(task);
    while (!condition());
  }

  async #sleepIn(
    entries: Task[],
    task: Task,
    timeoutMs: number | undefined,
    isRetry: boolean | undefined,
  ): Promise<WakeReason> {
    const reason = await task.scheduler.sleep(task, this, timeoutMs, isRetry);
    const index = entries.indexOf(task);
    // Whoever is off the queue was woken, even if its time ran out first: the wake-up was spent on
    // it, and must not be lost.
    if (index < 0) return WakeReason.Woken;
    entries.splice(index, 1);
    return reason;
  }
}

function wake(task: Task | undefined): void {
  task?.scheduler.wake(task);
}
