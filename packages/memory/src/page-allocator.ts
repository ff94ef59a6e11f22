import { invariant, type Page, PAGE_BYTES } from "@blkstack/bio";
import {
  type Access,
  AccessMode,
  type Awaitable,
  type Gfp,
  GfpBit,
  isPending,
  type Reserve,
  type Task,
  type Waitable,
} from "@blkstack/task";
import { type Memory, takeAfterReclaim, zoneOf } from "./memory.ts";
import { PageCache } from "./page-cache.ts";

export interface PageAllocatorOptions {
  readonly memory: Memory;
  /** The most pages of `PAGE_BYTES` that exist at a time. */
  readonly limitPages: number;
  readonly label: string;
}

export interface PageAllocatorCounters {
  readonly allocations: number;
  /** Answers of null. */
  readonly failures: number;
  /** Requests that had to wait for pages. */
  readonly waits: number;
}

/** Somebody who waits for so many pages. */
interface Turn {
  readonly task: Task;
  readonly pageCount: number;
}

/**
 * Pages, up to a limit. Several at once lie one behind the other in one `Page`; their number is
 * rounded up to a power of two, in `bytes.length` as in the account. Contents are whatever they were.
 *
 * Who waits is served in order, and nobody overtakes: a large request is not starved by small
 * ones. So a task that holds pages must not wait for more of them.
 */
export class PageAllocator implements Waitable {
  readonly label: string;
  readonly limitPages: number;
  readonly #memory: Memory;
  readonly #cache: PageCache;
  readonly #line: Turn[] = [];
  /** Only while exploring, for the wait-for graph. */
  readonly #live: Set<Page> | null;
  readonly #acquire: Access;
  readonly #release: Access;
  #usedPages = 0;
  #allocations = 0;
  #failures = 0;
  #waits = 0;

  constructor({ memory, limitPages, label }: PageAllocatorOptions) {
    invariant(Number.isSafeInteger(limitPages) && limitPages > 0, `${label}: no pages at all`);
    this.label = label;
    this.limitPages = limitPages;
    this.#memory = memory;
    this.#cache = new PageCache(limitPages, zoneOf(memory));
    this.#live = memory.scheduler.isExploring ? new Set() : null;
    this.#acquire = { object: this, mode: AccessMode.Acquire, label: `alloc from ${label}` };
    this.#release = { object: this, mode: AccessMode.Release, label: `free to ${label}` };
  }

  get usedPages(): number {
    return this.#usedPages;
  }

  get freePages(): number {
    return this.limitPages - this.#usedPages;
  }

  /** Pages in use, and those kept for reuse. */
  get existingPages(): number {
    return this.#cache.existingPages;
  }

  /** The pools before the same memory. */
  get reserves(): Set<Reserve> {
    return this.#memory.reserves;
  }

  get counters(): PageAllocatorCounters {
    return { allocations: this.#allocations, failures: this.#failures, waits: this.#waits };
  }

  /** The pages handed out; known only while exploring. */
  blockers(): readonly object[] {
    return this.#live === null ? [] : [...this.#live];
  }

  /** Takes pages if they are free and nobody waits for some. Waits: never. */
  tryAlloc(gfp: Gfp, pageCount = 1): Page | null {
    this.#memory.scheduler.touch(this.#acquire);
    const rounded = roundUp(pageCount);
    if (this.#line.length === 0 && this.#hasRoom(rounded) && !this.#fails(gfp)) {
      const page = this.#take(rounded, gfp, null);
      if (page !== null) return page;
    }
    this.#failures += 1;
    return null;
  }

  /**
   * Takes pages. Null when `gfp` forbids to wait and they are not free, when there cannot ever be
   * so many, and when the fault plan says so.
   *
   * Waits: if `gfp` allows and does not ask for one attempt only, until they are given back; and if
   * `gfp` allows, as `Memory.takePages`.
   */
  alloc(gfp: Gfp, task: Task, pageCount = 1): Awaitable<Page | null> {
    const allowed = this.#memory.admit(gfp, task, this.label);
    const { scheduler } = task;
    // An interrupt or the holder of a spinlock asks without waiting, and cannot be preempted.
    if (task.atomicDepth === 0 && !scheduler.inInterrupt) {
      const preempted = scheduler.mayPreempt(task, this.#acquire);
      if (preempted !== undefined) {
        return preempted.then(() => this.#allocNow(allowed, task, pageCount));
      }
    } else {
      scheduler.touch(this.#acquire);
    }
    return this.#allocNow(allowed, task, pageCount);
  }

  /** Gives back what was allocated. Waits: never. */
  free(page: Page): void {
    this.#memory.scheduler.touch(this.#release);
    const pageCount = page.bytes.length / PAGE_BYTES;
    this.#cache.put(page, this.label);
    this.#live?.delete(page);
    this.#usedPages -= pageCount;
    this.#wakeFirst();
  }

  /** Gives back to memory what is kept for reuse: for whoever is not going to ask again. Waits: never. */
  letGoOfAll(): void {
    this.#cache.letGoOfAll();
  }

  #allocNow(gfp: Gfp, task: Task, pageCount: number): Awaitable<Page | null> {
    const rounded = roundUp(pageCount);
    const waits = (gfp & (GfpBit.Wait | GfpBit.NoRetry)) === GfpBit.Wait;
    const isFree = this.#line.length === 0 && this.#hasRoom(rounded);
    if ((!isFree && !waits) || rounded > this.limitPages || this.#fails(gfp)) {
      this.#failures += 1;
      return null;
    }
    if (!isFree) return this.#allocInTurn(gfp, task, rounded);
    return this.#take(rounded, gfp, task) ?? this.#allocReclaimed(gfp, task, rounded);
  }

  async #allocInTurn(gfp: Gfp, task: Task, pageCount: number): Promise<Page | null> {
    const turn: Turn = { task, pageCount };
    this.#line.push(turn);
    this.#waits += 1;
    while (this.#line[0] !== turn || !this.#hasRoom(pageCount)) {
      await task.scheduler.sleep(task, this);
      task.scheduler.touch(this.#acquire);
    }
    this.#line.shift();
    const page = this.#take(pageCount, gfp, task);
    const outcome = page ?? this.#allocReclaimed(gfp, task, pageCount);
    this.#wakeFirst();
    return outcome;
  }

  /** There is room within the limit, but memory has not so many pages for the asking. */
  #allocReclaimed(gfp: Gfp, task: Task, pageCount: number): Awaitable<Page | null> {
    // The room is ours while we wait.
    this.#usedPages += pageCount;
    const taken = takeAfterReclaim(this.#memory, pageCount, gfp, task);
    if (isPending(taken)) return taken.then((isTaken) => this.#madeOf(pageCount, isTaken));
    return this.#madeOf(pageCount, taken);
  }

  #madeOf(pageCount: number, isTaken: boolean): Page | null {
    this.#usedPages -= pageCount;
    if (isTaken) return this.#handOut(this.#cache.make(pageCount), pageCount);
    this.#failures += 1;
    this.#wakeFirst();
    return null;
  }

  /** Null: there is no memory for it. */
  #take(pageCount: number, gfp: Gfp, task: Task | null): Page | null {
    const page = this.#cache.take(pageCount, gfp, task);
    return page === null ? null : this.#handOut(page, pageCount);
  }

  #handOut(page: Page, pageCount: number): Page {
    this.#usedPages += pageCount;
    this.#allocations += 1;
    this.#live?.add(page);
    return page;
  }

  #hasRoom(pageCount: number): boolean {
    return this.#usedPages + pageCount <= this.limitPages;
  }

  #fails(gfp: Gfp): boolean {
    return this.#memory.fails(this.label, gfp);
  }

  #wakeFirst(): void {
    const first = this.#line[0];
    if (first !== undefined && this.#hasRoom(first.pageCount)) {
      first.task.scheduler.wake(first.task);
    }
  }
}

function roundUp(pageCount: number): number {
  if (pageCount === 1) return 1;
  if (pageCount <= 0) invariant(false, `allocation of ${String(pageCount)} pages`);
  return 2 ** (32 - Math.clz32(pageCount - 1));
}
