import { type Bio, bioEndio, bioError, BioFlag, BioOp, BioStatus, isDataless } from "@blkstack/bio";
import type { CachedBlock } from "@blkstack/bufio";
import { type Awaitable, type Task, WorkItem, WorkQueue } from "@blkstack/task";
import { BioBytes } from "./bio-bytes.ts";
import type { BioData } from "./bio-data.ts";
import type { CachedDevice } from "./cached-device.ts";

/** Bios that are served at a time; each holds one block at most. */
export const WORKERS = 16;
const OK = BioStatus.Ok;

/** What must wait: nothing of that may be done inside a driver call. */
export class SlowPath {
  readonly #cached: CachedDevice;
  readonly #queue: WorkQueue;
  /** The first error of a write-back that nobody has been told of. */
  #untoldStatus: BioStatus = OK;

  constructor(name: string, cached: CachedDevice) {
    this.#cached = cached;
    const { scheduler } = cached;
    // Others wait for memory, and that for what this writes.
    this.#queue = new WorkQueue({
      scheduler,
      name: `cache ${name}`,
      maxActive: WORKERS,
      reclaimGuaranteed: true,
    });
  }

  /** Has a bio served by a worker, who will end it, or send it on. Waits: never. */
  add(bio: Bio, data: BioData): void {
    this.#queue.queue(new WorkItem(bio.toString(), (task) => this.#serve(bio, data, task)));
  }

  /** Makes durable what has been acknowledged. Waits: until it is. */
  async flush(task: Task): Promise<BioStatus> {
    const status = await this.#cached.client.writeDirty(task);
    const untold = this.#untoldStatus;
    this.#untoldStatus = OK;
    return untold === OK ? status : untold;
  }

  /** Keeps an error for the next flush. */
  keep(status: BioStatus): void {
    if (this.#untoldStatus === OK) this.#untoldStatus = status;
  }

  /** Waits: until the workers are done. */
  destroy(task: Task): Promise<void> {
    return this.#queue.destroy(task);
  }

  #serve(bio: Bio, data: BioData, task: Task): Awaitable<void> {
    if (bio.sizeBytes === 0) return this.#serveFlush(bio, task);
    if (bio.op === BioOp.Read) return this.#read(bio, data, task);
    if (isDataless(bio.op)) return this.#passDown(bio, data, task);
    return data.isExclusive ? this.#writeThrough(bio, data, task) : this.#write(bio, data, task);
  }

  async #serveFlush(bio: Bio, task: Task): Promise<void> {
    end(bio, await this.flush(task));
  }

  /** Reads what is missing, together, and answers with the cached blocks. */
  async #read(bio: Bio, data: BioData, task: Task): Promise<void> {
    const { client, busy } = this.#cached;
    const { first, end: stop } = data;
    const claim = { first, end: stop, isExclusive: false };
    await busy.claim(claim, bio, task);
    if (stop - first > 1) await client.prefetch(first, stop - first, task);
    const bytes = new BioBytes();
    bytes.begin(bio);
    let status: BioStatus = OK;
    // All of them, even after an error: nothing may be read any more when the claim is given up.
    for (let block = first; block < stop; block += 1) {
      const held = await client.read(block, task);
      if (typeof held === "number") {
        if (status === OK) status = held;
        continue;
      }
      if (status === OK) {
        bytes.fill(held.data, this.#cached.startIn(block, bio), this.#cached.endIn(block, bio));
      }
      client.release(held, task);
    }
    busy.release(claim, bio);
    end(bio, status);
  }

  /** Writes into the cache. */
  async #write(bio: Bio, data: BioData, task: Task): Promise<void> {
    const { client, busy } = this.#cached;
    const { first, end: stop } = data;
    const claim = { first, end: stop, isExclusive: true };
    await busy.claim(claim, bio, task);
    const bytes = new BioBytes();
    bytes.begin(bio);
    let status: BioStatus = OK;
    for (let block = first; block < stop && status === OK; block += 1) {
      const held = await this.#holdForWrite(bio, block, task);
      if (typeof held === "number") {
        status = held;
        continue;
      }
      this.#cached.writeBlock(bio, held, bytes);
      client.release(held, task);
    }
    busy.release(claim, bio);
    end(bio, status);
  }

  /** What is overwritten wholly need not be read. */
  async #holdForWrite(bio: Bio, block: number, task: Task): Promise<CachedBlock | BioStatus> {
    const { client, blockBytes } = this.#cached;
    const isWhole =
      this.#cached.startIn(block, bio) === 0 && this.#cached.endIn(block, bio) === blockBytes;
    const held = await (isWhole ? client.new(block, task) : client.read(block, task));
    if (typeof held !== "number") await client.untilWritten(held, task);
    return held;
  }

  /** Writes to the device, and into what is cached. The claim is given up when the bio ends. */
  async #writeThrough(bio: Bio, data: BioData, task: Task): Promise<void> {
    const { busy } = this.#cached;
    await busy.claim(data, bio, task);
    data.isClaimed = true;
    // While one is waited for, the write of another may begin.
    while (this.#cached.isBeingWritten(data.first, data.end)) await this.#untilWritten(data, task);
    this.#cached.writeCached(bio, data, false, task);
    await this.#cached.submitter.submitBio(bio, task);
  }

  async #untilWritten({ first, end: stop }: BioData, task: Task): Promise<void> {
    const { client } = this.#cached;
    for (let block = first; block < stop; block += 1) {
      const held = client.get(block, task);
      if (held === null) continue;
      await client.untilWritten(held, task);
      client.release(held, task);
    }
  }

  /**
   * Has the device discard or zero a range that the cache has nothing of any more. What is dirty is
   * written first, for the device may refuse.
   */
  async #passDown(bio: Bio, data: BioData, task: Task): Promise<void> {
    const { busy, client } = this.#cached;
    data.isExclusive = true;
    await busy.claim(data, bio, task);
    data.isClaimed = true;
    const status = await client.writeBlocks(data.first, data.end, task);
    client.forgetBlocks(data.first, data.end);
    if (status !== OK) bioError(bio, status);
    else await this.#cached.submitter.submitBio(bio, task);
  }
}

/** Whether a bio wants to be on the device when it ends. */
export function isForcedThrough(bio: Bio): boolean {
  return (bio.flags & BioFlag.Fua) !== 0;
}

function end(bio: Bio, status: BioStatus): void {
  if (status === OK) bioEndio(bio);
  else bioError(bio, status);
}
