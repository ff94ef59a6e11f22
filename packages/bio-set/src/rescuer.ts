import { BioList, type BioPool } from "@blkstack/bio";
import type { Submitter } from "@blkstack/block";
import {
  type Awaitable,
  isPending,
  type Scheduler,
  Spinlock,
  type Task,
  WorkItem,
  WorkQueue,
} from "@blkstack/task";

export interface RescuerOptions {
  readonly scheduler: Scheduler;
  readonly name: string;
  /** Only bios of this set may be rescued. */
  readonly set: BioPool;
  readonly submitter: Submitter;
  /** A queue shared with others, instead of one of its own. */
  readonly queue?: WorkQueue;
}

/**
 * Submits bios that cannot be submitted by the task that parked them, because it is about to wait.
 *
 * Its queue runs even when no memory is left, and no other set's bios stand in it: a bio of
 * another level could need an element that only this rescuer can bring back.
 */
export class Rescuer {
  readonly set: BioPool;
  /** The bios that wait for `work`. */
  readonly list: BioList = new BioList();
  readonly work: WorkItem;
  readonly #submitter: Submitter;
  readonly #queue: WorkQueue;
  readonly #ownsQueue: boolean;
  readonly #lock: Spinlock;
  #submittedCount = 0;

  constructor({ scheduler, name, set, submitter, queue }: RescuerOptions) {
    this.set = set;
    this.#submitter = submitter;
    this.#ownsQueue = queue === undefined;
    this.#queue =
      queue ??
      new WorkQueue({ scheduler, name: `rescue ${name}`, reclaimGuaranteed: true, maxActive: 1 });
    this.#lock = new Spinlock(`${name}.rescueLock`);
    this.work = new WorkItem(`rescue of ${set.label}`, (task) => this.#submitAll(task));
  }

  /** Bios that the rescuer has submitted. */
  get submittedCount(): number {
    return this.#submittedCount;
  }

  /** Moves `bios`, all of this set, here and has them submitted. Waits: for its turn to run. */
  rescue(bios: BioList, task: Task): Awaitable<void> {
    const appended = this.append(bios, task);
    if (isPending(appended)) {
      return appended.then(() => {
        this.queue(task);
      });
    }
    // Only after the bios are on the list: a work item that runs too early leaves them behind.
    this.queue(task);
  }

  /** The first half of `rescue`. Waits: for its turn to run. */
  append(bios: BioList, task: Task): Awaitable<void> {
    const turn = this.#lock.lock(task);
    if (turn !== undefined) {
      return turn.then(() => {
        this.#appendLocked(bios, task);
      });
    }
    this.#appendLocked(bios, task);
  }

  /** The second half of `rescue`; harmless when nothing was appended. Waits: never. */
  queue(task: Task): void {
    this.#queue.queue(this.work, task);
  }

  /** Waits: until all bios on the list were submitted. */
  stop(task: Task): Awaitable<void> {
    return this.#ownsQueue ? this.#queue.destroy(task) : this.#queue.drain(task);
  }

  #appendLocked(bios: BioList, task: Task): void {
    this.list.mergeInit(bios);
    this.#lock.unlock(task);
  }

  async #submitAll(task: Task): Promise<void> {
    for (;;) {
      const turn = this.#lock.lock(task);
      if (turn !== undefined) await turn;
      const bio = this.list.pop();
      this.#lock.unlock(task);
      if (bio === null) return;
      this.#submittedCount += 1;
      const submitted = this.#submitter.submitBio(bio, task);
      if (isPending(submitted)) await submitted;
    }
  }
}
