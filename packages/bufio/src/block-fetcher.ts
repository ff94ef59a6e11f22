import { BioStatus } from "@blkstack/bio";
import type { Submitter } from "@blkstack/block";
import type { Task } from "@blkstack/task";
import type { BlockBuffer } from "./block-buffer.ts";
import type { BufferCache } from "./buffer-cache.ts";
import type { BufferSupply } from "./buffer-supply.ts";
import type { BufioCaches } from "./bufio-caches.ts";
import type { CacheLimits } from "./cache-limits.ts";
import type { Eviction } from "./eviction.ts";
import { SendList } from "./sending.ts";
import type { WriteBack } from "./write-back.ts";

const OK = BioStatus.Ok;

export interface FetcherParts {
  readonly cache: BufferCache;
  readonly supply: BufferSupply;
  readonly eviction: Eviction;
  readonly writeBack: WriteBack;
  readonly limits: CacheLimits;
  readonly submitter: Submitter;
  readonly caches: BufioCaches;
}

/** Brings blocks into the cache, and makes room for them. */
export class BlockFetcher {
  readonly #parts: FetcherParts;

  constructor(parts: FetcherParts) {
    this.#parts = parts;
  }

  /**
   * A block, held; or why it cannot be read, and then it is not held. `isFresh`: what the device has
   * of it does not matter.
   *
   * Waits: for the lock, for a buffer, and until the block is read.
   */
  async fetch(block: number, isFresh: boolean, task: Task): Promise<BlockBuffer | BioStatus> {
    const { cache, submitter } = this.#parts;
    const toSend = new SendList();
    cache.nowMs = cache.scheduler.clock.nowMs();
    await cache.lock.lock(task);
    const buffer = await this.#obtain(block, isFresh, toSend, task);
    this.#balance(toSend, task);
    cache.lock.unlock(task);
    await toSend.send(submitter, task);
    // What was claimed is sent by now: to wait for it is to wait for the device.
    await this.makeRoom(task);
    cache.tellUse();
    while (buffer.isReading) {
      await buffer.wait(task);
      cache.tellUse();
    }
    if (buffer.readStatus === OK) return buffer;
    const { readStatus } = buffer;
    this.release(buffer, task);
    return readStatus;
  }

  /**
   * Has a block read unless it is there; nobody holds it. False when there is no memory for it.
   *
   * Waits: for the lock, and as long as the device takes to accept.
   */
  async prefetch(block: number, task: Task): Promise<boolean> {
    const { cache, supply, submitter } = this.#parts;
    await cache.lock.lock(task);
    cache.tellUse();
    const toSend = new SendList();
    const isMissing = this.#find(block) === null;
    const buffer = isMissing ? supply.tryTake() : null;
    if (buffer !== null) {
      cache.insert(buffer, block);
      this.#claimRead(buffer, toSend, task);
      this.#balance(toSend, task);
    }
    cache.lock.unlock(task);
    await toSend.send(submitter, task);
    return buffer !== null || !isMissing;
  }

  /** Lets go of a buffer. Waits: never. */
  release(buffer: BlockBuffer, task: Task): void {
    const { cache } = this.#parts;
    buffer.holds -= 1;
    if (cache.scheduler.isExploring) forgetHolder(buffer, task);
    if (buffer.holds > 0) return;
    if (buffer.hasFailed && buffer.isEvictable) this.drop(buffer);
    else if (!cache.freeBuffer.isEmpty) cache.freeBuffer.wakeOne();
  }

  /** Takes a buffer out that nobody holds, and that has no I/O under way. Waits: never. */
  drop(buffer: BlockBuffer): void {
    this.#parts.cache.remove(buffer);
    this.#parts.supply.free(buffer);
  }

  /**
   * Gives up what is more than the limit. Without the lock.
   *
   * Waits: only when all above the limit is dirty or busy; for its I/O.
   */
  async makeRoom(task: Task): Promise<void> {
    const { cache, limits, eviction } = this.#parts;
    if (cache.count <= limits.buffers) return;
    await cache.lock.lock(task);
    cache.tellUse();
    await eviction.evict(cache.count - limits.buffers, limits.buffers, task);
    cache.lock.unlock(task);
  }

  /** With the lock. */
  async #obtain(
    block: number,
    isFresh: boolean,
    toSend: SendList,
    task: Task,
  ): Promise<BlockBuffer> {
    const { cache, supply } = this.#parts;
    cache.tellUse();
    let isMiss = false;
    for (;;) {
      const found = this.#find(block);
      if (found !== null) {
        if (!isMiss) cache.tally.hits += 1;
        cache.hold(found, task);
        return found;
      }
      if (!isMiss) cache.tally.misses += 1;
      isMiss = true;
      const buffer = await supply.take(block, task);
      if (buffer === null) continue;
      cache.insert(buffer, block);
      cache.hold(buffer, task);
      if (!isFresh) this.#claimRead(buffer, toSend, task);
      return buffer;
    }
  }

  /** A block that can be used: what failed and is of no use to anybody is dropped. */
  #find(block: number): BlockBuffer | null {
    const buffer = this.#parts.cache.find(block);
    if (buffer === null || !buffer.hasFailed || !buffer.isEvictable) return buffer;
    this.drop(buffer);
    return null;
  }

  #claimRead(buffer: BlockBuffer, toSend: SendList, task: Task): void {
    buffer.isReading = true;
    buffer.sender = task;
    this.#parts.cache.tally.reads += 1;
    toSend.add(buffer);
  }

  /** With the lock. Waits: never. */
  #balance(toSend: SendList, task: Task): void {
    const { cache, limits, eviction, writeBack } = this.#parts;
    writeBack.claimTooMany(toSend, task);
    if (cache.count > limits.buffers) {
      eviction.evictIdle(cache.count - limits.buffers, limits.buffers);
    }
    this.#parts.caches.watchAge();
  }
}

function forgetHolder(buffer: BlockBuffer, task: Task): void {
  const { holders } = buffer;
  holders.splice(Math.max(0, holders.indexOf(task)), 1);
}
