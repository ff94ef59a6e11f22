import {
  type Access,
  AccessMode,
  type Awaitable,
  type Task,
  type Waitable,
  WaitQueue,
} from "@blkstack/task";
import type { Bio } from "@blkstack/bio";
import type { Scheduler } from "@blkstack/task";

/** One bio under way to a chunk that must not change before it ends; kept with the bio. */
export class TrackedBio {
  /** -1: not tracked. */
  chunk = -1;
  bio: Bio | null = null;
  next: TrackedBio | null = null;
  previous: TrackedBio | null = null;
}

const BUCKETS = 64;

/**
 * The bios that are under way past the exceptions: reads of the origin, or, while it merges, writes
 * to the store. Whoever would change what they find waits for them, chunk by chunk.
 */
export class TrackedChunks implements Waitable {
  readonly label: string;
  readonly #scheduler: Scheduler;
  readonly #heads: (TrackedBio | null)[] = new Array<TrackedBio | null>(BUCKETS).fill(null);
  readonly #idle: WaitQueue;
  readonly #change: Access;
  #count = 0;
  #waiterCount = 0;

  constructor(name: string, scheduler: Scheduler) {
    this.label = `reads under way of ${name}`;
    this.#scheduler = scheduler;
    this.#idle = new WaitQueue(this.label, this);
    this.#change = { object: this, mode: AccessMode.Write, label: `track in ${name}` };
  }

  get count(): number {
    return this.#count;
  }

  /** The bios that are tracked. */
  blockers(): readonly object[] {
    const bios: object[] = [];
    for (let tracked of this.#heads) {
      for (; tracked !== null; tracked = tracked.next)
        if (tracked.bio !== null) bios.push(tracked.bio);
    }
    return bios;
  }

  track(tracked: TrackedBio, bio: Bio, chunk: number): void {
    this.#scheduler.touch(this.#change);
    const bucket = bucketOf(chunk);
    const next = this.#heads[bucket] ?? null;
    tracked.chunk = chunk;
    tracked.bio = bio;
    tracked.next = next;
    tracked.previous = null;
    if (next !== null) next.previous = tracked;
    this.#heads[bucket] = tracked;
    this.#count += 1;
  }

  /** Once per tracked bio, whether it went well or not. Interrupt context. */
  untrack(tracked: TrackedBio): void {
    this.#scheduler.touch(this.#change);
    const { next, previous } = tracked;
    if (next !== null) next.previous = previous;
    if (previous !== null) previous.next = next;
    else this.#heads[bucketOf(tracked.chunk)] = next;
    tracked.chunk = -1;
    tracked.bio = null;
    tracked.next = null;
    tracked.previous = null;
    this.#count -= 1;
    if (this.#waiterCount > 0) this.#idle.wakeAll();
  }

  has(chunk: number): boolean {
    let tracked = this.#heads[bucketOf(chunk)] ?? null;
    while (tracked !== null && tracked.chunk !== chunk) tracked = tracked.next;
    return tracked !== null;
  }

  /** Waits: until no bio that is tracked belongs to one of `count` chunks from `first` on. */
  drain(first: number, count: number, task: Task): Awaitable<void> {
    const turn = this.#scheduler.mayPreempt(task, this.#change);
    if (turn !== undefined) return turn.then(() => this.#drain(first, count, task));
    if (this.#hasAny(first, count)) return this.#drain(first, count, task);
  }

  async #drain(first: number, count: number, task: Task): Promise<void> {
    this.#waiterCount += 1;
    while (this.#hasAny(first, count)) {
      await this.#idle.sleep(task);
      this.#scheduler.touch(this.#change);
    }
    this.#waiterCount -= 1;
  }

  #hasAny(first: number, count: number): boolean {
    for (let chunk = first; chunk < first + count; chunk += 1) if (this.has(chunk)) return true;
    return false;
  }
}

function bucketOf(chunk: number): number {
  return chunk % BUCKETS;
}
