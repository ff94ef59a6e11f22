import { type Task, type Waitable, WaitQueue } from "@blkstack/task";

/** How often something happened to a device, and the way to wait for the next time. */
export class EventCount implements Waitable {
  readonly label: string;
  #count = 0;
  readonly #waiting: WaitQueue;

  constructor(label: string) {
    this.label = label;
    this.#waiting = new WaitQueue(label, this);
  }

  get count(): number {
    return this.#count;
  }

  /** Nobody in particular: any bio may change the state of a target. */
  blockers(): readonly object[] {
    return [];
  }

  /** Waits: never. Interrupt context too. */
  raise(): void {
    this.#count += 1;
    this.#waiting.wakeAll();
  }

  /** Answers the count. Waits: until it is another one than `known`. */
  async wait(known: number, task: Task): Promise<number> {
    while (this.#count === known) await this.#waiting.sleep(task);
    return this.#count;
  }
}
