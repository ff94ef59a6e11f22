import { type Bio, bioEndio, bioError, BioFlag, BioStatus } from "@blkstack/bio";
import { type Task, WaitQueue, WorkItem, WorkQueue } from "@blkstack/task";
import type { PendingException } from "./pending-exception.ts";
import type { Snapshot } from "./snapshot.ts";

/** A flush, and the exceptions that it waits for: all with a sequence below this. */
interface HeldFlush {
  readonly bio: Bio;
  readonly below: number;
}

/**
 * Ends a snapshot's own writes when their data is in the store, before the exceptions are that lead
 * to it, as a disk with a volatile cache would: who flushes waits for the exceptions of all writes
 * that ended before, and so does who asks for FUA. A power cut, or a server that is killed, may
 * take back what was not flushed; it shows the origin's data then, as if it was never written.
 *
 * Writes to the origin wait as ever: the old data must be safe before it is written over.
 *
 * Commits have a worker of their own, so that copies and ends of writes go on beside them.
 */
export class WriteBehind {
  readonly #snapshot: Snapshot;
  readonly #commit: (pending: PendingException, task: Task) => Promise<void>;
  readonly #copied: PendingException[] = [];
  readonly #flushes: HeldFlush[] = [];
  readonly #queue: WorkQueue;
  readonly #work: WorkItem;
  readonly #drained: WaitQueue;
  /** Writes may have ended to chunks whose exceptions have a sequence below this. */
  #endedBelow = 0;

  /** `commit` hands one to the store. */
  constructor(
    snapshot: Snapshot,
    commit: (pending: PendingException, task: Task) => Promise<void>,
  ) {
    const { name, scheduler } = snapshot;
    const label = `commits of ${name}`;
    this.#snapshot = snapshot;
    this.#commit = commit;
    this.#queue = new WorkQueue({ scheduler, name: label, reclaimGuaranteed: true, maxActive: 1 });
    this.#work = new WorkItem(label, (task) => this.#run(task));
    this.#drained = new WaitQueue(`end of ${label}`, this.#queue);
  }

  /**
   * The data of a chunk is in the store, or will never be. Waits: for the lock, and as writes to the
   * store do; not for the commit.
   */
  async copied(pending: PendingException, task: Task): Promise<void> {
    if (pending.isCopied) await this.#endWrites(pending, task);
    this.#copied.push(pending);
    this.#queue.queue(this.#work);
  }

  /** Keeps a flush as long as it has something to wait for; false: it has nothing. Waits: never. */
  hold(flush: Bio): boolean {
    const { scheduler, look } = this.#snapshot;
    scheduler.touch(look);
    if (this.#isDrained(this.#endedBelow)) return false;
    this.#flushes.push({ bio: flush, below: this.#endedBelow });
    return true;
  }

  /** An exception is committed, or lost: flushes that waited for it go on. Waits: as flushes do. */
  async committed(task: Task): Promise<void> {
    const { isValid, submitter } = this.#snapshot;
    for (;;) {
      const [next] = this.#flushes;
      if (next === undefined || !this.#isDrained(next.below)) break;
      this.#flushes.shift();
      if (isValid) await submitter.submitBio(next.bio, task);
      else bioError(next.bio, BioStatus.IoError);
    }
    this.#drained.wakeAll();
  }

  /** Waits: until the exceptions of all writes that have ended are committed. */
  async drain(task: Task): Promise<void> {
    const below = this.#endedBelow;
    await this.#drained.waitUntil(task, () => this.#isDrained(below));
  }

  async destroy(task: Task): Promise<void> {
    await this.#queue.destroy(task);
  }

  #isDrained(below: number): boolean {
    return this.#snapshot.pending.oldestSequence >= below;
  }

  async #endWrites(pending: PendingException, task: Task): Promise<void> {
    const snapshot = this.#snapshot;
    const { fullBio, snapshotBios, oldChunk, newChunk } = pending;
    await snapshot.lock.enterChange(task);
    const { isValid } = snapshot;
    snapshot.scheduler.touch(snapshot.change);
    // Before a write ends whoever reads must find what it wrote.
    if (isValid) snapshot.exceptions.insert(oldChunk, newChunk);
    snapshot.lock.leaveChange(task);
    if (!isValid) return;
    this.#endedBelow = Math.max(this.#endedBelow, pending.sequence + 1);
    if (fullBio !== null && !pending.isFullBioFua) {
      pending.fullBio = null;
      bioEndio(fullBio);
    }
    for (let left = snapshotBios.size; left > 0; left -= 1) {
      const bio = snapshotBios.pop();
      if (bio === null) return;
      if ((bio.flags & BioFlag.Fua) !== 0) snapshotBios.add(bio);
      else await snapshot.submitter.submitBio(bio, task);
    }
  }

  async #run(task: Task): Promise<void> {
    for (let next = this.#copied.shift(); next !== undefined; next = this.#copied.shift()) {
      await this.#commit(next, task);
    }
  }
}
