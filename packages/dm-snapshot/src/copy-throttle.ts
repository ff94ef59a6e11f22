import { type Awaitable, type Task, type Waitable, WaitQueue } from "@blkstack/task";

/**
 * Keeps writers from filling memory with copies under way: who would begin one too many waits
 * until some have ended. Holding no lock, and never the task that ends copies.
 */
export class CopyThrottle implements Waitable {
  readonly label: string;
  readonly #max: number;
  readonly #copies = new Set<object>();
  readonly #waiting: WaitQueue;

  constructor(name: string, max: number) {
    this.label = `copies under way of ${name}`;
    this.#max = max;
    this.#waiting = new WaitQueue(this.label, this);
  }

  /** Copies under way. */
  get count(): number {
    return this.#copies.size;
  }

  /** Whether a write would have to wait. */
  get isOver(): boolean {
    return this.count > this.#max;
  }

  blockers(): readonly object[] {
    return [...this.#copies];
  }

  begin(copy: object): void {
    this.#copies.add(copy);
  }

  /** Waits: never. */
  end(copy: object): void {
    this.#copies.delete(copy);
    if (!this.isOver) this.#waiting.wakeAll();
  }

  /** Waits: while more copies are under way than there may be. */
  wait(task: Task): Awaitable<void> {
    if (this.isOver) {
      return this.#waiting.waitUntil(task, () => !this.isOver);
    }
  }
}
