import { BlockError } from "@blkstack/block";
import {
  type Awaitable,
  type Gfp,
  GFP_KERNEL,
  GFP_NOIO,
  GFP_NOWAIT,
  GfpBit,
  isPending,
  type Task,
  WakeReason,
} from "@blkstack/task";
import type { BlockBuffer } from "./block-buffer.ts";
import type { BufferCache } from "./buffer-cache.ts";
import type { BufferMemory } from "./buffer-memory.ts";
import type { Eviction } from "./eviction.ts";

const ONCE = GfpBit.NoRetry | GfpBit.NoMemalloc | GfpBit.NoWarn;
const HOPEFUL: Gfp = GFP_NOWAIT | ONCE;
const RECLAIMING: Gfp = GFP_NOIO | ONCE;
/** After so long a sleeper looks for memory again, though no buffer was let go of. */
const RETRY_MS = 5000;

/** There is no memory; and somebody else has put the block into the cache. */
const NOT_FOUND = "not found";
const NOT_NEEDED = "not needed";
type Found = BlockBuffer | typeof NOT_FOUND | typeof NOT_NEEDED;

/**
 * Where a buffer for a block that is not there comes from, when memory is short too.
 *
 * The reserve comes before the client's own old buffers: it is filled again by the next that is
 * freed. So with as many reserved buffers as are held at a time, every request is served.
 */
export class BufferSupply {
  readonly #cache: BufferCache;
  readonly #memory: BufferMemory;
  readonly #eviction: Eviction;
  readonly #reserve: BlockBuffer[] = [];
  readonly #reserveCount: number;

  /** Throws a `BlockError` (ENOMEM) when there is no memory for the reserve. */
  constructor(cache: BufferCache, memory: BufferMemory, eviction: Eviction, reserveCount: number) {
    this.#cache = cache;
    this.#memory = memory;
    this.#eviction = eviction;
    this.#reserveCount = reserveCount;
    while (this.#reserve.length < reserveCount) {
      const buffer = memory.tryAlloc(GFP_KERNEL);
      if (buffer === null) {
        this.destroy();
        const message = `${cache.label}: there is no memory for ${String(reserveCount)} buffers`;
        throw new BlockError("BLK_STATE", "ENOMEM", message);
      }
      this.#reserve.push(buffer);
    }
  }

  /** Buffers in reserve. */
  get reserved(): number {
    return this.#reserve.length;
  }

  /**
   * A buffer for `block`, on no list. Null when somebody has put the block into the cache meanwhile;
   * look there. With the lock, which it may let go of in between.
   *
   * Waits: for memory to be reclaimed; for I/O of buffers that nobody holds, keeping the lock; until a
   * buffer is let go of, when all are held.
   */
  take(block: number, task: Task): Awaitable<BlockBuffer | null> {
    return this.#memory.tryAlloc(HOPEFUL) ?? this.#takeSlowly(block, task);
  }

  /** A buffer for the asking: there must be memory. Waits: never. */
  tryTake(): BlockBuffer | null {
    return this.#memory.tryAlloc(HOPEFUL);
  }

  /** Takes back a buffer that is on no list. Waits: never. */
  free(buffer: BlockBuffer): void {
    if (this.#reserve.length < this.#reserveCount) this.#reserve.push(buffer);
    else this.#memory.free(buffer);
    this.#cache.freeBuffer.wakeOne();
  }

  /** All buffers are back. */
  destroy(): void {
    for (const buffer of this.#reserve.splice(0)) this.#memory.free(buffer);
  }

  async #takeSlowly(block: number, task: Task): Promise<BlockBuffer | null> {
    let found = await this.#reclaim(block, task);
    while (found === NOT_FOUND) {
      const own = this.#reserve.pop() ?? this.#eviction.takeOldest(task);
      const buffer = isPending(own) ? await own : own;
      if (buffer !== null) return buffer;
      found = await this.#sleep(block, task);
      // If it takes memory, or finds the block there, what it was woken for is still to be had.
      if (found !== NOT_FOUND) this.#cache.freeBuffer.wakeOne();
    }
    return found === NOT_NEEDED ? null : found;
  }

  /** Asks for memory without the lock: the caches that are asked to give some may be this one. */
  async #reclaim(block: number, task: Task): Promise<Found> {
    const { lock } = this.#cache;
    lock.unlock(task);
    const buffer = await this.#memory.alloc(RECLAIMING, task);
    await lock.lock(task);
    this.#cache.tellUse();
    if (this.#cache.find(block) === null) return buffer ?? NOT_FOUND;
    if (buffer !== null) this.free(buffer);
    return NOT_NEEDED;
  }

  /** Waits: until a buffer is let go of, or it is time to ask for memory again. */
  async #sleep(block: number, task: Task): Promise<Found> {
    const { lock, freeBuffer } = this.#cache;
    // Nothing runs between these two, so that nobody lets go of a buffer unseen.
    lock.unlock(task);
    const reason = await freeBuffer.sleepExclusive(task, RETRY_MS, true);
    await lock.lock(task);
    this.#cache.tellUse();
    if (this.#cache.find(block) !== null) return NOT_NEEDED;
    const buffer = this.#memory.tryAlloc(HOPEFUL);
    if (buffer !== null) return buffer;
    return reason === WakeReason.TimedOut ? this.#reclaim(block, task) : NOT_FOUND;
  }
}
