import { type Access, AccessMode, type Awaitable } from "@blkstack/task";
import type { Scheduler, Task, Waitable } from "@blkstack/task";
import type { Interruption } from "./interruption.ts";

/** Counts what is inside, and lets others wait until nothing is: tasks in a call, bios in flight. */
export class Drain implements Waitable {
  readonly label: string;
  #count = 0;
  readonly #waiting: Task[] = [];
  /** Who is inside, for the wait-for graph; followed only where somebody draws it. */
  readonly #inside: Set<object> | null;
  readonly #scheduler: Scheduler;
  readonly #counting: Access;
  readonly #looking: Access;

  constructor(label: string, scheduler: Scheduler) {
    this.label = label;
    this.#scheduler = scheduler;
    this.#inside = scheduler.isExploring ? new Set() : null;
    this.#counting = { object: this, mode: AccessMode.Release, label: `count ${label}` };
    this.#looking = { object: this, mode: AccessMode.Acquire, label: `wait for ${label}` };
  }

  get count(): number {
    return this.#count;
  }

  blockers(): readonly object[] {
    return this.#inside === null ? [] : [...this.#inside];
  }

  enter(who: object): void {
    this.#count += 1;
    if (this.#inside === null) return;
    this.#inside.add(who);
    this.#scheduler.touch(this.#counting);
  }

  /** Waits: never; wakes those who wait for the last one to leave. */
  leave(who: object): void {
    this.#count -= 1;
    if (this.#inside !== null) {
      this.#inside.delete(who);
      this.#scheduler.touch(this.#counting);
    }
    if (this.#count === 0 && this.#waiting.length > 0) this.#wakeAll();
  }

  /** Waits: until nothing is inside, or until the interruption is raised. */
  wait(task: Task, interruption: Interruption | null = null): Awaitable<void> {
    this.#scheduler.touch(this.#looking);
    if (this.#count > 0) return this.#waitLonger(task, interruption);
  }

  #wakeAll(): void {
    for (const task of this.#waiting.splice(0)) task.scheduler.wake(task);
  }

  async #waitLonger(task: Task, interruption: Interruption | null): Promise<void> {
    while (this.#count > 0 && interruption?.isRaised !== true) {
      this.#waiting.push(task);
      interruption?.watchFor(task);
      await task.scheduler.sleep(task, this);
      this.#scheduler.touch(this.#looking);
    }
    interruption?.watchFor(null);
    const place = this.#waiting.indexOf(task);
    if (place >= 0) this.#waiting.splice(place, 1);
  }
}
