import { type Bio, BioList } from "@blkstack/bio";
import { type Task, WorkItem, WorkQueue } from "@blkstack/task";
import type { Snapshot } from "./snapshot.ts";

/**
 * Discards for the origin, which wait here until every other snapshot has what they throw away. To
 * wait for copies is not for whoever maps bios: some that the copies wait for may be parked there.
 */
export class PassedDown {
  readonly #snapshot: Snapshot;
  readonly #bios = new BioList();
  readonly #queue: WorkQueue;
  readonly #work: WorkItem;

  constructor(snapshot: Snapshot) {
    const { name, scheduler } = snapshot;
    this.#snapshot = snapshot;
    const label = `discards of ${name}`;
    this.#queue = new WorkQueue({ scheduler, name: label, reclaimGuaranteed: true, maxActive: 1 });
    this.#work = new WorkItem(label, (task) => this.#run(task));
  }

  /** Waits: never. */
  add(bio: Bio): void {
    this.#bios.add(bio);
    this.#queue.queue(this.#work);
  }

  async destroy(task: Task): Promise<void> {
    await this.#queue.destroy(task);
  }

  async #run(task: Task): Promise<void> {
    for (let bio = this.#bios.pop(); bio !== null; bio = this.#bios.pop()) {
      const { originRecord, submitter } = this.#snapshot;
      await originRecord.preserveRange(bio, this.#snapshot, task);
      await submitter.submitBio(bio, task);
    }
  }
}
