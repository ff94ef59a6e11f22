import {
  type Access,
  AccessMode,
  type Scheduler,
  type Task,
  type Waitable,
  WaitQueue,
} from "@blkstack/task";

/** Lets one bio at a time through. Whoever sees the bio end opens it again, in whatever task. */
export class Gate implements Waitable {
  readonly label: string;
  readonly #waiting: WaitQueue;
  readonly #pass: Access;
  readonly #open: Access;
  #inside: object | null = null;

  constructor(name: string) {
    this.label = `gate "${name}"`;
    this.#waiting = new WaitQueue(this.label, this);
    this.#pass = { object: this, mode: AccessMode.Acquire, label: `pass ${this.label}` };
    this.#open = { object: this, mode: AccessMode.Release, label: `open ${this.label}` };
  }

  /** What is through and has not ended. */
  blockers(): readonly object[] {
    return this.#inside === null ? [] : [this.#inside];
  }

  /** Waits: until nothing is inside. */
  async pass(inside: object, task: Task): Promise<void> {
    await task.scheduler.mayPreempt(task, this.#pass);
    while (this.#inside !== null) {
      await this.#waiting.sleepExclusive(task);
      task.scheduler.touch(this.#pass);
    }
    this.#inside = inside;
  }

  /** Waits: never. Interrupt context too. */
  open(scheduler: Scheduler): void {
    scheduler.touch(this.#open);
    this.#inside = null;
    this.#waiting.wakeOne();
  }
}
