import type { Bio } from "@blkstack/bio";
import { type Task, WorkItem, WorkQueue } from "@blkstack/task";
import type { Snapshot } from "./snapshot.ts";
import type { TrackedBio } from "./tracked-chunks.ts";

interface WaitingDiscard {
  readonly bio: Bio;
  readonly chunk: number;
  readonly tracked: TrackedBio;
}

/**
 * Discards for the origin, which wait here until every other snapshot has what they throw away. To
 * wait for copies is not for whoever maps bios: some that the copies wait for may be parked there.
 *
 * They are tracked only when they go: two snapshots would wait for each other's discards for ever.
 */
export class PassedDown {
  readonly #snapshot: Snapshot;
  readonly #discards: WaitingDiscard[] = [];
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
  add(bio: Bio, chunk: number, tracked: TrackedBio): void {
    this.#discards.push({ bio, chunk, tracked });
    this.#queue.queue(this.#work);
  }

  async destroy(task: Task): Promise<void> {
    await this.#queue.destroy(task);
  }

  async #run(task: Task): Promise<void> {
    for (let next = this.#discards.shift(); next !== undefined; next = this.#discards.shift()) {
      const { bio, chunk, tracked } = next;
      const { originRecord, submitter } = this.#snapshot;
      await originRecord.preserveRange(bio, this.#snapshot, task);
      this.#snapshot.tracked.track(tracked, bio, chunk);
      await submitter.submitBio(bio, task);
    }
  }
}
