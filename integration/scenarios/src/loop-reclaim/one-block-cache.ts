import { Bio, BioOp, createVecs, PAGE_BYTES } from "@blkstack/bio";
import type { BlockDevice, Submitter } from "@blkstack/block";
import { submitAndWait } from "@blkstack/make-request";
import { type Memory, SHRINK_STOP, type Shrinker } from "@blkstack/memory";
import { type Gfp, GfpBit, Mutex, type Task, WorkItem, WorkQueue } from "@blkstack/task";

/**
 * What a cache takes for leave to write back, and wait for it, when memory is short: that the
 * allocation may start I/O, or that it may enter a filesystem; or it needs none, for it leaves the
 * writing to a worker.
 */
export type WritesBack = "if-io" | "if-fs" | "by-worker";

/** A cache of one dirty block of a device. */
export class OneBlockCache implements Shrinker {
  readonly label = "cache";
  readonly #writesBack: WritesBack;
  readonly #device: BlockDevice;
  readonly #submitter: Submitter;
  readonly #memory: Memory;
  readonly #lock = new Mutex("cache.lock");
  readonly #queue: WorkQueue;
  readonly #work = new WorkItem("write back", (task) => this.#writeBack(task));
  #isDirty = false;

  constructor(memory: Memory, device: BlockDevice, submitter: Submitter, writesBack: WritesBack) {
    this.#memory = memory;
    this.#device = device;
    this.#submitter = submitter;
    this.#writesBack = writesBack;
    const { scheduler } = memory;
    this.#queue = new WorkQueue({ scheduler, name: "cache", reclaimGuaranteed: true });
  }

  /** Has a dirty block from now on, in a page that the caller has taken for it. */
  fill(): void {
    this.#isDirty = true;
  }

  count(): number {
    return this.#isDirty ? 1 : 0;
  }

  async scan(_amount: number, gfp: Gfp, task: Task): Promise<number> {
    if (this.#writesBack === "by-worker") {
      this.#queue.queue(this.#work);
      return 1;
    }
    const leave = this.#writesBack === "if-io" ? GfpBit.Io : GfpBit.Fs;
    if ((gfp & leave) === 0) return SHRINK_STOP;
    await this.#writeBack(task);
    return 1;
  }

  async #writeBack(task: Task): Promise<void> {
    await this.#lock.lock(task);
    if (this.#isDirty) {
      const bio = new Bio(null, null, createVecs(1));
      bio.vecs = bio.inlineVecs;
      bio.vecMax = 1;
      bio.addPage({ bytes: new Uint8Array(PAGE_BYTES), frame: 0 }, PAGE_BYTES, 0);
      bio.op = BioOp.Write;
      bio.device = this.#device;
      await submitAndWait(this.#submitter, bio, task);
      this.#isDirty = false;
      this.#memory.givePages(1);
    }
    this.#lock.unlock(task);
  }
}
