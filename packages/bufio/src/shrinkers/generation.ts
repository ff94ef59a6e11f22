import type { Shrinker } from "@blkstack/memory";
import type { Awaitable, Mutex, Scheduler, Task, WorkItem } from "@blkstack/task";

/** What a shrinker may know and do of the cache that it is for. */
export interface ShrinkableCache {
  readonly label: string;
  readonly scheduler: Scheduler;
  /** Whoever has it may wait for I/O. */
  readonly lock: Mutex;
  /** Buffers in the cache, held or not. */
  readonly count: number;
  /** How many of them are not given back however short memory is. */
  readonly retain: number;
  /**
   * Frees up to `amount` buffers, clean ones first, but none that would leave fewer than `retain`.
   * With the lock. Waits: where `mayDoIo`, for I/O of those that are dirty or busy.
   */
  evict(amount: number, mayDoIo: boolean, task: Task): Awaitable<number>;
  /** Has the client's own worker do something. Waits: never. */
  queueWork(item: WorkItem): void;
}

/** How a client gives memory back: what it does itself in the name of whoever is short of it. */
export interface ShrinkerGeneration {
  readonly name: string;
  create(cache: ShrinkableCache): Shrinker;
}
