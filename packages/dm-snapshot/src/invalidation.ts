import { type Bio, BioList } from "@blkstack/bio";
import { type Scheduler, type Task, WorkItem, WorkQueue } from "@blkstack/task";

/** What has to happen once a snapshot can no longer be right. */
export interface InvalidationSteps {
  /** Marks the store, so that nobody takes the snapshot for right later. Waits: for its device. */
  readonly mark: (task: Task) => Promise<void>;
  /** Who waits for the mark may go on. Waits: never. */
  readonly marked: () => void;
  /** Sends a write to the origin on its way again. Waits: as the origin does. */
  readonly retry: (bio: Bio, task: Task) => Promise<void>;
}

/**
 * The end of a snapshot that could not keep what it had to. No write to the origin goes on before
 * the store is marked: after a power cut between the two the snapshot would pass for a good one.
 *
 * The mark is written by a worker of its own, for bios are the wrong place to wait for bios.
 */
export class Invalidation {
  readonly #steps: InvalidationSteps;
  readonly #held = new BioList();
  readonly #queue: WorkQueue;
  readonly #work: WorkItem;
  #isMarking = false;

  constructor(name: string, scheduler: Scheduler, steps: InvalidationSteps) {
    this.#steps = steps;
    this.#queue = new WorkQueue({
      scheduler,
      name: `invalidation of ${name}`,
      reclaimGuaranteed: true,
      maxActive: 1,
    });
    this.#work = new WorkItem(`invalidation of ${name}`, (task) => this.#run(task));
  }

  /** Whether the store is not marked yet. */
  get isMarking(): boolean {
    return this.#isMarking;
  }

  /** Once. Waits: never. */
  start(): void {
    this.#isMarking = true;
    this.#queue.queue(this.#work);
  }

  /** Keeps a write to the origin until the store is marked. */
  hold(bio: Bio): void {
    this.#held.add(bio);
  }

  /** Waits: until the store is marked, if it is to be. */
  async destroy(task: Task): Promise<void> {
    await this.#queue.destroy(task);
  }

  async #run(task: Task): Promise<void> {
    await this.#steps.mark(task);
    this.#isMarking = false;
    this.#steps.marked();
    for (let bio = this.#held.pop(); bio !== null; bio = this.#held.pop()) {
      await this.#steps.retry(bio, task);
    }
  }
}
