import { type Task, type Waitable, WaitQueue } from "@blkstack/task";

/** Counts copies that have ended, for whoever begins again after each. */
export class FinishedCopies implements Waitable {
  readonly label: string;
  finished = 0;
  readonly #blockers: () => readonly object[];
  readonly #waiting: WaitQueue;

  constructor(label: string, blockers: () => readonly object[]) {
    this.label = label;
    this.#blockers = blockers;
    this.#waiting = new WaitQueue(label, this);
  }

  blockers(): readonly object[] {
    return this.#blockers();
  }

  /** Waits: never. */
  add(): void {
    this.finished += 1;
    this.#waiting.wakeAll();
  }

  /** Waits: until another one has ended than the first `known`. */
  async wait(known: number, task: Task): Promise<void> {
    await this.#waiting.waitUntil(task, () => this.finished !== known);
  }
}
