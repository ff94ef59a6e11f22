import { type Access, AccessMode, type Awaitable, type Scheduler, type Task } from "@blkstack/task";
import type { Waitable } from "@blkstack/task";

/** Blocks are told apart by so many numbers: two that share one now and then wait without need. */
const BUCKETS = 4096;

/** Some blocks, and what somebody does with them. */
export interface BlockRange {
  readonly first: number;
  readonly end: number;
  /** Whether nobody else may do anything with them; else others may read them. */
  readonly isExclusive: boolean;
}

interface Waiter {
  readonly range: BlockRange;
  readonly holder: object;
  readonly task: Task;
  isGranted: boolean;
}

/**
 * Which blocks somebody works on who has to wait: for those everything else waits its turn.
 *
 * All blocks of a range are claimed at once, so that nobody waits with some for others. Counts take
 * no memory, however many blocks there are.
 */
export class BusyBlocks implements Waitable {
  readonly label: string;
  readonly #scheduler: Scheduler;
  readonly #shared = new Uint16Array(BUCKETS);
  readonly #exclusive = new Uint16Array(BUCKETS);
  readonly #waiters: Waiter[] = [];
  /** Who has claimed something; only while exploring. */
  readonly #holders: Set<object> | null;
  readonly #use: Access;
  #claims = 0;

  constructor(name: string, scheduler: Scheduler) {
    this.label = `blocks of ${name} that somebody works on`;
    this.#scheduler = scheduler;
    this.#holders = scheduler.isExploring ? new Set() : null;
    this.#use = { object: this, mode: AccessMode.Write, label: `use ${this.label}` };
  }

  blockers(): readonly object[] {
    return this.#holders === null ? [] : [...this.#holders];
  }

  /** Whether somebody has blocks of a range to himself. */
  isExclusive(first: number, end: number): boolean {
    if (this.#scheduler.isExploring) this.#scheduler.touch(this.#use);
    return this.#claims > 0 && has(this.#exclusive, first, end);
  }

  /** Claims blocks if nobody is in the way, or waits for any. `holder`: for the wait-for graph. */
  tryClaim(range: BlockRange, holder: object): boolean {
    if (this.#scheduler.isExploring) this.#scheduler.touch(this.#use);
    if (this.#waiters.length > 0 || !this.#isFree(range)) return false;
    this.#take(range, holder);
    return true;
  }

  /** Waits: until nobody is in the way, first come, first served. */
  claim(range: BlockRange, holder: object, task: Task): Awaitable<void> {
    if (!this.tryClaim(range, holder)) return this.#wait(range, holder, task);
  }

  /** Gives blocks back. Waits: never. From interrupt context too. */
  release(range: BlockRange, holder: object): void {
    if (this.#scheduler.isExploring) this.#scheduler.touch(this.#use);
    this.#claims -= 1;
    this.#holders?.delete(holder);
    add(range.isExclusive ? this.#exclusive : this.#shared, range, -1);
    for (let next = this.#waiters[0]; next !== undefined; next = this.#waiters[0]) {
      if (!this.#isFree(next.range)) return;
      this.#waiters.shift();
      this.#take(next.range, next.holder);
      next.isGranted = true;
      next.task.scheduler.wake(next.task);
    }
  }

  async #wait(range: BlockRange, holder: object, task: Task): Promise<void> {
    const waiter: Waiter = { range, holder, task, isGranted: false };
    this.#waiters.push(waiter);
    do await task.scheduler.sleep(task, this);
    while (!waiter.isGranted);
  }

  #isFree({ first, end, isExclusive }: BlockRange): boolean {
    if (this.#claims === 0) return true;
    if (has(this.#exclusive, first, end)) return false;
    return !isExclusive || !has(this.#shared, first, end);
  }

  #take(range: BlockRange, holder: object): void {
    this.#claims += 1;
    this.#holders?.add(holder);
    add(range.isExclusive ? this.#exclusive : this.#shared, range, 1);
  }
}

function has(counts: Uint16Array, first: number, end: number): boolean {
  const last = Math.min(end, first + BUCKETS);
  for (let block = first; block < last; block += 1) {
    if (counts[block % BUCKETS] !== 0) return true;
  }
  return false;
}

function add(counts: Uint16Array, { first, end }: BlockRange, more: number): void {
  const last = Math.min(end, first + BUCKETS);
  for (let block = first; block < last; block += 1) {
    const bucket = block % BUCKETS;
    counts[bucket] = (counts[bucket] ?? 0) + more;
  }
}
