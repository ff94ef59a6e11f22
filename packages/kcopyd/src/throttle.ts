import type { Awaitable, Clock, Task, Waitable } from "@blkstack/task";

/** How long to stand back at a time, and how often in a row. */
const PAUSE_MS = 100;
const PAUSES_MAX = 10;
/** What was longer ago than this counts half, and half again. */
const MEMORY_MS = 1000;
const NOBODY: readonly object[] = [];

/** Keeps the share of time in which I/O is under way below a percentage. */
export class Throttle implements Waitable {
  readonly label = "throttle";
  readonly #clock: Clock;
  #percent: number;
  #inFlight = 0;
  #busyMs = 0;
  #totalMs = 0;
  #lastMs = 0;

  constructor(clock: Clock, percent: number) {
    this.#clock = clock;
    this.#percent = percent;
    this.#lastMs = clock.nowMs();
  }

  /** From 1 to 100, which is no throttle at all. */
  get percent(): number {
    return this.#percent;
  }

  set percent(percent: number) {
    this.#percent = percent;
    this.#lastMs = this.#clock.nowMs();
    this.#busyMs = 0;
    this.#totalMs = 0;
  }

  /** Nobody: time passes by itself. */
  blockers(): readonly object[] {
    return NOBODY;
  }

  /** Waits: for a second at most, while more than the percentage was used. */
  admit(task: Task): Awaitable<void> {
    if (this.#percent >= 100 || !this.#isOver()) return;
    return this.#pause(task);
  }

  ioStarted(): void {
    if (this.#percent < 100) this.#account();
    this.#inFlight += 1;
  }

  /** Interrupt context. */
  ioEnded(): void {
    if (this.#percent < 100) this.#account();
    this.#inFlight -= 1;
  }

  #isOver(): boolean {
    this.#account();
    return this.#busyMs * 100 > this.#totalMs * this.#percent;
  }

  async #pause(task: Task): Promise<void> {
    for (let pauses = 0; pauses < PAUSES_MAX; pauses += 1) {
      await task.scheduler.sleep(task, this, PAUSE_MS);
      if (!this.#isOver()) return;
    }
  }

  #account(): void {
    const nowMs = this.#clock.nowMs();
    const passedMs = nowMs - this.#lastMs;
    this.#lastMs = nowMs;
    this.#totalMs += passedMs;
    if (this.#inFlight > 0) this.#busyMs += passedMs;
    while (this.#totalMs > 2 * MEMORY_MS) {
      this.#totalMs /= 2;
      this.#busyMs /= 2;
    }
  }
}
