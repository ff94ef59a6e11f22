import type { Memory, Shrinker } from "@blkstack/memory";
import { type Awaitable, type Task, WorkItem, WorkQueue } from "@blkstack/task";
import type { BlockFetcher } from "./block-fetcher.ts";
import type { BufferCache } from "./buffer-cache.ts";
import type { AgeingCache, BufioCaches } from "./bufio-caches.ts";
import type { CacheLimits } from "./cache-limits.ts";
import { CountedShrinker } from "./counted-shrinker.ts";
import type { Eviction } from "./eviction.ts";
import type { WriteBack } from "./write-back.ts";
import type { ShrinkableCache, ShrinkerGeneration } from "./shrinkers/generation.ts";

export interface HousekeepingParts {
  readonly cache: BufferCache;
  readonly eviction: Eviction;
  readonly limits: CacheLimits;
  readonly fetcher: BlockFetcher;
  readonly writeBack: WriteBack;
  readonly caches: BufioCaches;
  readonly memory: Memory;
  readonly generation: ShrinkerGeneration;
}

/** What makes a client smaller although none of its users asked: age, its share, and short memory. */
export class Housekeeping implements AgeingCache {
  readonly #parts: HousekeepingParts;
  readonly #queue: WorkQueue;
  readonly #trim: WorkItem;
  readonly #write: WorkItem;
  readonly #shrinker: Shrinker;
  #isStopped = false;

  constructor(parts: HousekeepingParts) {
    const { cache, caches, memory, fetcher, writeBack, generation } = parts;
    const { label, scheduler } = cache;
    this.#parts = parts;
    // Others wait for memory that only this worker frees.
    this.#queue = new WorkQueue({ scheduler, name: label, maxActive: 1, reclaimGuaranteed: true });
    this.#trim = new WorkItem(`make room in ${label}`, (task) => fetcher.makeRoom(task));
    this.#write = new WorkItem(`write what is dirty of ${label}`, (task) =>
      writeBack.writeSome(task),
    );
    this.#shrinker = new CountedShrinker(generation.create(this.#asShrinkable()), cache.tally);
    memory.shrinkers.register(this.#shrinker);
    caches.join(this);
  }

  get canAge(): boolean {
    const { cache, limits } = this.#parts;
    return cache.clean.count > limits.retainBuffers;
  }

  evictOld(sinceMs: number, task: Task): void {
    const { cache, eviction, limits, memory } = this.#parts;
    // Whoever has the lock may wait for I/O, and there is another time.
    if (!cache.lock.tryLock(task)) return;
    cache.tellUse();
    cache.nowMs = cache.scheduler.clock.nowMs();
    eviction.evictOld(sinceMs, limits.retainBuffers);
    cache.lock.unlock(task);
    memory.becameFreeable();
  }

  shareChanged(): void {
    const { cache, limits } = this.#parts;
    limits.update();
    if (cache.count > limits.buffers && !this.#isStopped) this.#queue.queue(this.#trim);
  }

  /** Has the worker write some of what is dirty. Waits: never. */
  writeSoon(): void {
    if (!this.#isStopped) this.#queue.queue(this.#write);
  }

  /** Waits: until the worker has done what it was about. */
  async stop(task: Task): Promise<void> {
    const { caches, memory } = this.#parts;
    this.#isStopped = true;
    memory.shrinkers.unregister(this.#shrinker);
    caches.leave(this);
    await this.#queue.destroy(task);
  }

  #asShrinkable(): ShrinkableCache {
    const { cache, eviction, limits } = this.#parts;
    // Who asks all caches may come to one that has just gone.
    const count = (): number => {
      cache.tellUse();
      return this.#isStopped ? 0 : cache.count;
    };
    return {
      label: cache.label,
      scheduler: cache.scheduler,
      lock: cache.lock,
      get count() {
        return count();
      },
      get retain() {
        return limits.retainBuffers;
      },
      evict: (amount: number, mayDoIo: boolean, task: Task): Awaitable<number> => {
        cache.tellUse();
        const keep = limits.retainBuffers;
        return mayDoIo ? eviction.evict(amount, keep, task) : eviction.evictIdle(amount, keep);
      },
      queueWork: (item) => {
        if (!this.#isStopped) this.#queue.queue(item);
      },
    };
  }
}
