import { type Bio, BioFlag, BioOp, BioStatus, invariant } from "@blkstack/bio";
import { BioSet } from "@blkstack/bio-set";
import type { BlockDevice, Submitter } from "@blkstack/block";
import type { Memory } from "@blkstack/memory";
import { type Awaitable, Completion, GFP_NOIO, type Task } from "@blkstack/task";
import type { BlockBuffer } from "./block-buffer.ts";
import type { BufferCache } from "./buffer-cache.ts";
import type { CacheLimits } from "./cache-limits.ts";
import { SendList } from "./sending.ts";

/** Writes that are under way at a time because too much is dirty. */
const WRITE_BATCH = 64;
/** Flushes that can be under way with no memory at all. */
const FLUSH_RESERVE = 1;
const OK = BioStatus.Ok;

export interface WriteBackOptions {
  readonly memory: Memory;
  readonly submitter: Submitter;
  readonly device: BlockDevice;
  readonly limits: CacheLimits;
}

/** Writes dirty blocks to the device. Writes are claimed with the lock and sent without it. */
export class WriteBack {
  readonly #cache: BufferCache;
  readonly #submitter: Submitter;
  readonly #device: BlockDevice;
  readonly #limits: CacheLimits;
  readonly #flushes: BioSet;

  constructor(cache: BufferCache, options: WriteBackOptions) {
    const { memory, submitter, device, limits } = options;
    this.#cache = cache;
    this.#limits = limits;
    this.#submitter = submitter;
    this.#device = device;
    this.#flushes = new BioSet({
      name: `flushes of ${cache.label}`,
      scheduler: cache.scheduler,
      memory,
      poolSize: FLUSH_RESERVE,
    });
  }

  /**
   * Claims writes of up to `amount` dirty blocks, oldest first, leaving out those whose write is under
   * way. With the lock. Waits: never.
   */
  claimOldest(amount: number, into: SendList, task: Task): void {
    let left = amount;
    for (
      let buffer = this.#cache.dirty.oldest;
      buffer !== null && left > 0;
      buffer = buffer.newer
    ) {
      if (!buffer.isDirty || buffer.isWriting) continue;
      this.#claim(buffer, into, task);
      left -= 1;
    }
  }

  /** Claims some writes of the oldest, if more is dirty than may be. With the lock. Waits: never. */
  claimTooMany(into: SendList, task: Task): void {
    const room = WRITE_BATCH - this.#cache.writing.size;
    if (this.#isTooDirty && room > 0) this.claimOldest(room, into, task);
  }

  /**
   * Starts writing some of what is dirty, if more is than may be. Waits: for the lock, and as long as the
   * device takes to accept.
   */
  async writeSome(task: Task): Promise<void> {
    const list = new SendList();
    await this.#lock(task);
    this.claimTooMany(list, task);
    this.#cache.lock.unlock(task);
    await list.send(this.#submitter, task);
  }

  /** Starts writing all that is dirty. Waits: for the lock, and as long as the device takes to accept. */
  async writeAsync(task: Task): Promise<void> {
    const list = new SendList();
    await this.#lock(task);
    this.claimOldest(Infinity, list, task);
    this.#cache.lock.unlock(task);
    await list.send(this.#submitter, task);
  }

  /**
   * Writes what is dirty now of the blocks `[first, end)`; answers the first error of those that are
   * still there, which the next flush tells too.
   *
   * Waits: until all of it is written, or has failed.
   */
  async write(first: number, end: number, task: Task): Promise<BioStatus> {
    const cache = this.#cache;
    const called = this.#nextOrder();
    let again = await this.#claimRange(first, end, called, task);
    while (again !== null) {
      await untilWritten(again, cache, task);
      again = await this.#claimRange(first, end, called, task);
    }
    return this.#waitForWrites(first, end, task);
  }

  /** Has the device make durable what it has. Waits: until it has, or has failed to. */
  async flush(task: Task): Promise<BioStatus> {
    const bio = await this.#flushes.alloc(GFP_NOIO, 0, task);
    if (bio === null) invariant(false, `${this.#cache.label}: no bio although it may wait`);
    const { scheduler, label } = this.#cache;
    this.#cache.tally.flushes += 1;
    const end = new Completion(`flush of ${label}`, { scheduler, blockers: () => [bio] });
    bio.device = this.#device;
    bio.op = BioOp.Write;
    bio.flags = BioFlag.Preflush | BioFlag.Sync;
    bio.private = end;
    bio.endIo = completeEnd;
    await this.#submitter.submitBio(bio, task);
    await end.wait(task);
    const { status } = bio;
    bio.put();
    return status;
  }

  /** Whether more is dirty than may be, and not enough is being done about it. */
  get wantsToWrite(): boolean {
    return this.#isTooDirty && this.#cache.writing.size < WRITE_BATCH / 2;
  }

  destroy(task: Task): Awaitable<void> {
    return this.#flushes.destroy(task);
  }

  /**
   * Starts the writes that can be started; answers a buffer whose write that is under way must end
   * before it can be written again.
   */
  async #claimRange(
    first: number,
    end: number,
    called: number,
    task: Task,
  ): Promise<BlockBuffer | null> {
    const list = new SendList();
    let again: BlockBuffer | null = null;
    await this.#lock(task);
    for (const buffer of this.#blocksOf(first, end)) {
      if (!buffer.isDirty || buffer.dirtiedAt > called) continue;
      if (buffer.isWriting) again = buffer;
      else this.#claim(buffer, list, task);
    }
    this.#cache.lock.unlock(task);
    await list.send(this.#submitter, task);
    return again;
  }

  get #isTooDirty(): boolean {
    return this.#cache.dirty.count > this.#limits.dirtyBuffers;
  }

  async #waitForWrites(first: number, end: number, task: Task): Promise<BioStatus> {
    const claimed = this.#nextOrder();
    let status: BioStatus = OK;
    for (;;) {
      this.#cache.tellUse();
      const buffer = this.#oldestWrite(first, end, claimed);
      if (buffer === null) return status;
      await untilWritten(buffer, this.#cache, task);
      if (status === OK) status = buffer.writeStatus;
    }
  }

  #oldestWrite(first: number, end: number, claimed: number): BlockBuffer | null {
    for (const buffer of this.#cache.writing) {
      if (buffer.writtenAt > claimed) return null;
      if (buffer.block >= first && buffer.block < end) return buffer;
    }
    return null;
  }

  /** Those of a range that are dirty or being written, and perhaps others of it. */
  *#blocksOf(first: number, end: number): Generator<BlockBuffer> {
    const { dirty } = this.#cache;
    if (end - first < dirty.count) {
      yield* this.#cache.inRange(first, end);
      return;
    }
    for (let buffer = dirty.oldest; buffer !== null; buffer = buffer.newer) {
      if (buffer.block >= first && buffer.block < end) yield buffer;
    }
  }

  #claim(buffer: BlockBuffer, into: SendList, task: Task): void {
    this.#cache.claimWrite(buffer, task);
    this.#cache.tally.writes += 1;
    into.add(buffer);
  }

  #nextOrder(): number {
    this.#cache.order += 1;
    return this.#cache.order;
  }

  async #lock(task: Task): Promise<void> {
    await this.#cache.lock.lock(task);
    this.#cache.tellUse();
  }
}

/** Waits: until the write of a buffer that is under way has ended, whatever comes after it. */
async function untilWritten(buffer: BlockBuffer, cache: BufferCache, task: Task): Promise<void> {
  const { writtenAt } = buffer;
  cache.tellUse();
  while (buffer.isWriting && buffer.writtenAt === writtenAt) {
    await buffer.wait(task);
    cache.tellUse();
  }
}

/** Interrupt context. */
function completeEnd(bio: Bio): void {
  (bio.private as Completion).complete();
}
