import { type Awaitable, type Scheduler, type Task, type Waitable } from "@blkstack/task";

/** Counts what is inside, and lets others wait until nothing is: tasks in a call, bios in flight. */
export class Drain implements Waitable {
  readonly label: string;
  #count = 0;
  readonly #waiting: Task[] = [];
  /** Who is inside, for the wait-for graph; followed only where somebody draws it. */
  readonly #inside: Set<object> | null;

  constructor(label: string, scheduler: Scheduler) {
    this.label = label;
    this.#inside = scheduler.isExploring ? new Set() : null;
  }

  get count(): number {
    return this.#count;
  }

  blockers(): readonly object[] {
    return this.#inside === null ? [] : [...this.#inside];
  }

  enter(who: object): void {
    this.#count += 1;
    if (this.#inside !== null) this.#inside.add(who);
  }

  /** Waits: never; wakes those who wait for the last one to leave. */
  leave(who: object): void {
    this.#count -= 1;
    if (this.#inside !== null) this.#inside.delete(who);
    if (this.#count === 0 && this.#waiting.length > 0) this.#wakeAll();
  }

  /** Waits: until nothing is inside. */
  wait(task: Task): Awaitable<void> {
    if (this.#count > 0) return this.#waitLonger(task);
  }

  #wakeAll(): void {
    for (const task of this.#waiting.splice(0)) task.scheduler.wake(task);
  }

  async #waitLonger(task: Task): Promise<void> {
    while (this.#count > 0) {
      this.#waiting.push(task);
      await task.scheduler.sleep(task, this);
    }
  }
}
