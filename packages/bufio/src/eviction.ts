import type { Submitter } from "@blkstack/block";
import type { Awaitable, Task } from "@blkstack/task";
import type { BlockBuffer } from "./block-buffer.ts";
import type { BufferCache } from "./buffer-cache.ts";
import { sendOne } from "./sending.ts";

/** Gives up buffers that nobody holds, those that were not used for longest first. */
export class Eviction {
  readonly #cache: BufferCache;
  readonly #submitter: Submitter;
  readonly #free: (buffer: BlockBuffer) => void;

  constructor(cache: BufferCache, submitter: Submitter, free: (buffer: BlockBuffer) => void) {
    this.#cache = cache;
    this.#submitter = submitter;
    this.#free = free;
  }

  /**
   * Takes the best buffer out of the cache: a clean one if there is any, else a dirty one, once it is
   * written. Null when all are held. With the lock.
   *
   * Waits: only when none is clean and idle; then for I/O, keeping the lock.
   */
  takeOldest(task: Task): Awaitable<BlockBuffer | null> {
    for (let buffer = this.#cache.clean.oldest; buffer !== null; buffer = buffer.newer) {
      if (!buffer.isEvictable) continue;
      this.#takeOut(buffer);
      return buffer;
    }
    return this.#takeOldestBusy(task);
  }

  /**
   * Frees up to `amount` clean idle buffers, but none that would leave fewer than `keep`; answers how
   * many. Waits: never.
   */
  evictIdle(amount: number, keep: number): number {
    const goal = Math.min(amount, this.#cache.count - keep);
    let freed = 0;
    let buffer = this.#cache.clean.oldest;
    while (buffer !== null && freed < goal) {
      const { newer } = buffer;
      if (buffer.isEvictable) {
        this.#takeOut(buffer);
        this.#free(buffer);
        freed += 1;
      }
      buffer = newer;
    }
    return freed;
  }

  /**
   * As `evictIdle`, and then those that are read, dirty or being written. With the lock.
   *
   * Waits: for the I/O of those.
   */
  evict(amount: number, keep: number, task: Task): Awaitable<number> {
    const freed = this.evictIdle(amount, keep);
    if (freed >= amount || this.#cache.count <= keep) return freed;
    return this.#evictBusy(amount - freed, keep, freed, task);
  }

  /** Frees clean idle buffers that were not used since `sinceMs`, but for `keep` of them. Waits: never. */
  evictOld(sinceMs: number, keep: number): void {
    let buffer = this.#cache.clean.oldest;
    while (buffer !== null && this.#cache.count > keep && buffer.lastUsedMs <= sinceMs) {
      const { newer } = buffer;
      if (buffer.isEvictable) {
        this.#takeOut(buffer);
        this.#free(buffer);
      }
      buffer = newer;
    }
  }

  async #evictBusy(amount: number, keep: number, already: number, task: Task): Promise<number> {
    let freed = 0;
    while (freed < amount && this.#cache.count > keep) {
      const buffer = await this.#takeOldestBusy(task);
      if (buffer === null) break;
      this.#free(buffer);
      freed += 1;
    }
    return already + freed;
  }

  async #takeOldestBusy(task: Task): Promise<BlockBuffer | null> {
    const cache = this.#cache;
    const search = cache.beginSearch();
    for (const list of [cache.clean, cache.dirty]) {
      for (;;) {
        const buffer = cache.oldestUnheld(list, search);
        if (buffer === null) break;
        await this.#makeClean(buffer, task);
        // Somebody may have found and held it meanwhile, for that takes no lock.
        if (buffer.list === null || !buffer.isEvictable) continue;
        this.#takeOut(buffer);
        return buffer;
      }
    }
    return null;
  }

  async #makeClean(buffer: BlockBuffer, task: Task): Promise<void> {
    const cache = this.#cache;
    await this.#untilIdle(buffer, task);
    if (!buffer.isDirty || buffer.holds > 0) return;
    cache.claimWrite(buffer, task);
    cache.tally.writes += 1;
    await sendOne(buffer, this.#submitter, task);
    await this.#untilIdle(buffer, task);
  }

  async #untilIdle(buffer: BlockBuffer, task: Task): Promise<void> {
    this.#cache.tellUse();
    while (!buffer.isIdle) {
      await buffer.wait(task);
      this.#cache.tellUse();
    }
  }

  #takeOut(buffer: BlockBuffer): void {
    this.#cache.remove(buffer);
    this.#cache.tally.evictions += 1;
  }
}
