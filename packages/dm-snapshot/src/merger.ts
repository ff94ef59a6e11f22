import { type Bio, bioError, BioFlag, BioList, BioOp, BioStatus, invariant } from "@blkstack/bio";
import { type Task, WorkItem, WorkQueue } from "@blkstack/task";
import { RemoveResult } from "./exception-run.ts";
import { copyAndWait } from "./copy-and-wait.ts";
import type { Snapshot } from "./snapshot.ts";

/** Chunks that are brought back in one go: one behind the other in the origin and in the store. */
interface Run {
  readonly firstOld: number;
  readonly firstNew: number;
  readonly chunks: number;
}

/**
 * Brings the exceptions of a snapshot back into its origin, the youngest first, a run of chunks at a
 * time: copied, flushed, and only then forgotten by the store, so that a power cut at any point
 * leaves a snapshot that shows the same.
 */
export class Merger {
  readonly snapshot: Snapshot;
  /** An error ended the merge; it goes on with the next resume. */
  hasFailed = false;
  readonly #held = new BioList();
  readonly #queue: WorkQueue;
  readonly #work: WorkItem;
  #run: Run | null = null;
  #isStopping = false;

  constructor(snapshot: Snapshot) {
    this.snapshot = snapshot;
    const { name, scheduler } = snapshot;
    const label = `merge of ${name}`;
    this.#queue = new WorkQueue({ scheduler, name: label, reclaimGuaranteed: true, maxActive: 1 });
    this.#work = new WorkItem(label, (task) => this.#mergeAll(task));
  }

  /** Whether a chunk is just being brought back, so that a write to it must wait. */
  isMerging(chunk: number): boolean {
    const run = this.#run;
    return run !== null && chunk >= run.firstOld && chunk < run.firstOld + run.chunks;
  }

  /** Keeps a write, which is addressed to the origin already, until its chunk is back. */
  hold(bio: Bio): void {
    this.#held.add(bio);
  }

  start(): void {
    this.#isStopping = false;
    this.hasFailed = false;
    this.#queue.queue(this.#work);
  }

  /** Waits: until the run that is under way is back. */
  async stop(task: Task): Promise<void> {
    this.#isStopping = true;
    await this.#queue.flush(this.#work, task);
  }

  async destroy(task: Task): Promise<void> {
    await this.stop(task);
    await this.#queue.destroy(task);
  }

  async #mergeAll(task: Task): Promise<void> {
    while (!this.#isStopping && this.snapshot.isValid) {
      const run = await this.#nextRun(task);
      if (run === null) {
        if (!this.hasFailed) this.snapshot.host.log("the merge has ended");
        return;
      }
      if (!(await this.#merge(run, task))) {
        await this.#fail(task);
        return;
      }
    }
  }

  /** Null: there is nothing left, or what is left cannot be read. */
  async #nextRun(task: Task): Promise<Run | null> {
    const { store } = this.snapshot;
    if (store === null) return null;
    const found = await store.prepareMerge(task);
    if (found === null) return null;
    if (typeof found === "number") {
      await this.#fail(task);
      return null;
    }
    const { lastOldChunk, lastNewChunk, count: chunks } = found;
    return { firstOld: lastOldChunk + 1 - chunks, firstNew: lastNewChunk + 1 - chunks, chunks };
  }

  /** Answers whether all of it went well. */
  async #merge(run: Run, task: Task): Promise<boolean> {
    const { lock } = this.snapshot.originRecord;
    // Nobody may begin to be a snapshot of what is being written.
    await lock.readLock(task);
    const isMerged = await this.#mergeLocked(run, task);
    lock.readUnlock(task);
    return isMerged;
  }

  async #mergeLocked(run: Run, task: Task): Promise<boolean> {
    const { snapshot } = this;
    const { origin, originRecord, chunkSectors, tracked } = snapshot;
    const sector = run.firstOld * chunkSectors;
    const sectors = Math.min(run.chunks * chunkSectors, Math.max(origin.sizeSectors - sector, 0));
    if (snapshot.policies.mergePreserves)
      await originRecord.preserveRange({ sector, endSector: sector + sectors }, snapshot, task);
    await this.#publish(run, task);
    await tracked.drain(run.firstOld, run.chunks, task);
    const source = { device: snapshot.cow, sector: run.firstNew * chunkSectors, sectors };
    const target = { device: origin, sector, sectors };
    if (!(await copyAndWait(snapshot.copier, source, target, task))) return false;
    if (snapshot.policies.mergeFlush && !(await this.#flushOrigin(task))) return false;
    if ((await snapshot.store?.commitMerge(run.chunks, task)) !== BioStatus.Ok) return false;
    await this.#forget(run, task);
    return true;
  }

  async #publish(run: Run | null, task: Task): Promise<void> {
    const { lock } = this.snapshot;
    await lock.enterChange(task);
    this.#run = run;
    lock.leaveChange(task);
  }

  async #forget(run: Run, task: Task): Promise<void> {
    const { lock, exceptions } = this.snapshot;
    await lock.enterChange(task);
    for (let chunk = run.firstOld + run.chunks - 1; chunk >= run.firstOld; chunk -= 1) {
      const result = exceptions.remove(chunk);
      invariant(result === RemoveResult.Removed, `merged chunk ${String(chunk)} has no exception`);
    }
    this.#run = null;
    lock.leaveChange(task);
    for (let bio = this.#held.pop(); bio !== null; bio = this.#held.pop()) {
      await this.snapshot.submitter.submitBio(bio, task);
    }
  }

  async #fail(task: Task): Promise<void> {
    this.snapshot.host.log("Write error: shutting down merge.");
    this.hasFailed = true;
    await this.#publish(null, task);
    for (let bio = this.#held.pop(); bio !== null; bio = this.#held.pop()) {
      bioError(bio, BioStatus.IoError);
    }
  }

  async #flushOrigin(task: Task): Promise<boolean> {
    const regions = [{ device: this.snapshot.origin, sector: 0, sectors: 0 }];
    const flush = { op: BioOp.Write, flags: BioFlag.Preflush, regions, memory: [] };
    return (await this.snapshot.io.ioAndWait(flush, task)) === 0n;
  }
}
