import { type Bytes, invariant } from "@blkstack/bio";
import { type Scheduler, type Task, Timer, WorkItem, WorkQueue } from "@blkstack/task";

const CACHE_BYTES: Bytes = 64 * 1024 * 1024;
const RETAIN_BYTES: Bytes = 256 * 1024;
const MAX_AGE_MS = 300_000;
const AGE_CHECK_MS = 30_000;

export interface BufioCachesOptions {
  /** What all clients together may keep; 64 MiB unless told. */
  readonly cacheBytes?: Bytes;
  /** What of each client is given back neither for being old nor because memory is short; 256 KiB. */
  readonly retainBytes?: Bytes;
  /** Clean blocks that were not used for so long are given back; 300 000 unless told. */
  readonly maxAgeMs?: number;
}

/** A client, as what it shares with others sees it. */
export interface AgeingCache {
  /** Whether it has more than it would keep however old that were. */
  readonly canAge: boolean;
  /** Gives back clean blocks that were not used since `sinceMs`. Waits: never. */
  evictOld(sinceMs: number, task: Task): void;
  /** The share has changed. Waits: never. */
  shareChanged(): void;
}

/**
 * What the clients of one system share: the limit of what they may keep, in equal parts, and the
 * worker that looks for what is old.
 */
export class BufioCaches {
  readonly retainBytes: Bytes;
  readonly #scheduler: Scheduler;
  readonly #clients = new Set<AgeingCache>();
  readonly #timer: Timer;
  readonly #queue: WorkQueue;
  readonly #work: WorkItem;
  #maxAgeMs: number;
  #cacheBytes: Bytes;
  #currentBytes: Bytes = 0;
  #peakBytes: Bytes = 0;

  constructor(scheduler: Scheduler, options: BufioCachesOptions = {}) {
    this.#scheduler = scheduler;
    this.#cacheBytes = options.cacheBytes ?? CACHE_BYTES;
    this.#maxAgeMs = options.maxAgeMs ?? MAX_AGE_MS;
    this.retainBytes = options.retainBytes ?? RETAIN_BYTES;
    this.#queue = new WorkQueue({ scheduler, name: "bufio ageing", maxActive: 1 });
    this.#work = new WorkItem("look for old blocks", (task) => {
      this.#evictOld(task);
    });
    this.#timer = new Timer(scheduler, "age of cached blocks", () => {
      this.#queue.queue(this.#work);
    });
  }

  /** Clients there are. */
  get clients(): number {
    return this.#clients.size;
  }

  get cacheBytes(): Bytes {
    return this.#cacheBytes;
  }

  set cacheBytes(bytes: Bytes) {
    invariant(bytes > 0, "a cache of no bytes");
    this.#cacheBytes = bytes;
    this.#tellShare();
  }

  /** Infinity: nothing is too old. */
  get maxAgeMs(): number {
    return this.#maxAgeMs;
  }

  set maxAgeMs(ageMs: number) {
    this.#maxAgeMs = ageMs;
    this.#timer.cancel();
    this.watchAge();
  }

  /** What each client may keep. */
  get shareBytes(): Bytes {
    return this.#cacheBytes / Math.max(1, this.#clients.size);
  }

  /** Memory of all blocks, reserves included. */
  get currentBytes(): Bytes {
    return this.#currentBytes;
  }

  get peakBytes(): Bytes {
    return this.#peakBytes;
  }

  resetPeak(): void {
    this.#peakBytes = this.#currentBytes;
  }

  /** Counts memory that a client takes, or gives back. */
  add(bytes: Bytes): void {
    this.#currentBytes += bytes;
    if (this.#currentBytes > this.#peakBytes) this.#peakBytes = this.#currentBytes;
  }

  join(client: AgeingCache): void {
    this.#clients.add(client);
    this.#tellShare();
  }

  leave(client: AgeingCache): void {
    this.#clients.delete(client);
    if (this.#clients.size === 0) this.#timer.cancel();
    this.#tellShare();
  }

  /** A client has more than it keeps: look again in time. Nothing ticks while there is nothing to age. */
  watchAge(): void {
    if (this.#timer.isArmed || this.#maxAgeMs === Infinity) return;
    for (const client of this.#clients) {
      if (!client.canAge) continue;
      this.#timer.arm(Math.min(AGE_CHECK_MS, this.#maxAgeMs));
      return;
    }
  }

  #evictOld(task: Task): void {
    const sinceMs = this.#scheduler.clock.nowMs() - this.#maxAgeMs;
    for (const client of this.#clients) client.evictOld(sinceMs, task);
    this.watchAge();
  }

  #tellShare(): void {
    for (const client of this.#clients) client.shareChanged();
  }
}
