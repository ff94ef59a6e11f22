import {
  type Access,
  AccessMode,
  type Awaitable,
  type Scheduler,
  type Task,
  type Waitable,
  WaitQueue,
} from "@blkstack/task";

/** Whose copies these are. */
interface CopyingSnapshot {
  readonly name: string;
  readonly scheduler: Scheduler;
  /** Knows who is to bring copies to an end. */
  readonly copier: Pick<Waitable, "blockers">;
}

/**
 * Keeps writers from filling memory with copies under way: who would begin one too many waits
 * until some have ended. Holding no lock, and never the task that ends copies.
 */
export class CopyThrottle implements Waitable {
  readonly label: string;
  readonly #max: number;
  readonly #scheduler: Scheduler;
  readonly #copier: Pick<Waitable, "blockers">;
  readonly #look: Access;
  readonly #change: Access;
  readonly #copies = new Set<object>();
  readonly #waiting: WaitQueue;

  constructor({ name, scheduler, copier }: CopyingSnapshot, max: number) {
    this.label = `copies under way of ${name}`;
    this.#max = max;
    this.#scheduler = scheduler;
    this.#copier = copier;
    this.#look = { object: this, mode: AccessMode.Read, label: `look at ${this.label}` };
    this.#change = { object: this, mode: AccessMode.Write, label: `count ${this.label}` };
    this.#waiting = new WaitQueue(this.label, this);
  }

  /** Copies under way. */
  get count(): number {
    return this.#copies.size;
  }

  /** Whether a write would have to wait. */
  get isOver(): boolean {
    this.#scheduler.touch(this.#look);
    return this.count > this.#max;
  }

  blockers(): readonly object[] {
    return this.#copier.blockers();
  }

  begin(copy: object): void {
    this.#copies.add(copy);
    // All that anybody sees is whether there are too many.
    if (this.count === this.#max + 1) this.#scheduler.touch(this.#change);
  }

  /** Waits: never. */
  end(copy: object): void {
    this.#copies.delete(copy);
    if (this.count === this.#max) this.#scheduler.touch(this.#change);
    if (this.count <= this.#max) this.#waiting.wakeAll();
  }

  /** Waits: while more copies are under way than there may be. */
  wait(task: Task): Awaitable<void> {
    if (this.isOver) {
      return this.#waiting.waitUntil(task, () => !this.isOver);
    }
  }
}
