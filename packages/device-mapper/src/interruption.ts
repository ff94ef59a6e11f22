import type { Task } from "@blkstack/task";

/** Lets somebody else call off what a task waits for, as a signal does. Once raised it stays so. */
export class Interruption {
  #isRaised = false;
  #sleeper: Task | null = null;

  get isRaised(): boolean {
    return this.#isRaised;
  }

  /** Waits: never. */
  raise(): void {
    this.#isRaised = true;
    const sleeper = this.#sleeper;
    if (sleeper !== null) sleeper.scheduler.wake(sleeper);
  }

  /** Says whom to wake; null: nobody any more. */
  watchFor(sleeper: Task | null): void {
    this.#sleeper = sleeper;
  }
}
