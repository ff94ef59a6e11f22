import { invariant } from "@blkstack/bio";
import {
  type Access,
  AccessMode,
  assertMaySleep,
  type Awaitable,
  effectiveGfp,
  type EndsBy,
  type Gfp,
  GFP_KERNEL,
  GfpBit,
  isPending,
  mayWait,
  type Reserve,
  type Scheduler,
  type Task,
  type Waitable,
  WaitQueue,
} from "@blkstack/task";
import type { Allocator } from "./allocator.ts";

/** How long a sleeper waits before it asks the allocator again, wake-up or not. */
const RETRY_MS = 5000;

/** What a pool, which has a reserve of its own and a patience of its own, asks memory for. */
const POOL_BITS: Gfp = GfpBit.NoMemalloc | GfpBit.NoRetry | GfpBit.NoWarn;

// Constants of this module are part of the machine code; what is imported is looked up each time.
const WAIT: Gfp = GfpBit.Wait;
const FIRST_MASK: Gfp = ~(GfpBit.Wait | GfpBit.Io);

export interface MempoolOptions<T extends object> {
  readonly scheduler: Scheduler;
  /** What people call the pool: `bios of md0`. */
  readonly label: string;
  readonly allocator: Allocator<T>;
  /** How many elements can be live at once with no free memory; at least 1. */
  readonly minNr: number;
}

/** There is no memory for the reserve of a pool. */
export class OutOfMemoryError extends Error {
  override readonly name = "OutOfMemoryError";
  readonly errno = "ENOMEM";
}

/**
 * A reserve of elements for callers that must not fail: `minNr` elements can be live at once with
 * no free memory at all, provided that whoever holds one gives it back without needing this pool
 * again. Two elements for one caller, with none of them in flight, break that promise.
 */
export class Mempool<T extends object> implements Waitable, Reserve {
  readonly label: string;
  readonly #scheduler: Scheduler;
  readonly #allocator: Allocator<T>;
  readonly #reserve: T[];
  #minNr: number;
  #liveCount = 0;
  #lowestNr: number;
  #fromReserve = 0;
  #waits = 0;
  #isDestroyed = false;
  readonly #sleepers: WaitQueue;
  /** Who has an element: only while exploring, for the wait-for graph. */
  readonly #holders: Set<T> | null;
  readonly #acquire: Access;
  readonly #release: Access;

  /**
   * Fills the reserve from memory that is there for the asking; throws an OutOfMemoryError when
   * that is not enough. `create` can wait for it. `reserve` is for `create`.
   */
  constructor(options: MempoolOptions<T>, reserve?: T[]) {
    const { scheduler, label, allocator, minNr } = options;
    invariant(Number.isSafeInteger(minNr) && minNr >= 1, `${label}: a pool without a reserve`);
    this.label = label;
    this.#scheduler = scheduler;
    this.#allocator = allocator;
    this.#minNr = minNr;
    this.#reserve = reserve ?? reserveAtOnce(options);
    this.#lowestNr = this.#reserve.length;
    this.#sleepers = new WaitQueue(label, this);
    this.#holders = scheduler.isExploring ? new Set() : null;
    this.#acquire = { object: this, mode: AccessMode.Acquire, label: `alloc from ${label}` };
    this.#release = { object: this, mode: AccessMode.Release, label: `free to ${label}` };
    allocator.reserves?.add(this);
  }

  /** A pool with its reserve filled, or null. Waits: for memory. */
  static async create<T extends object>(
    options: MempoolOptions<T>,
    task: Task,
  ): Promise<Mempool<T> | null> {
    const { allocator, minNr } = options;
    const reserve: T[] = [];
    while (reserve.length < minNr) {
      const element = await allocator.alloc(GFP_KERNEL, task);
      if (element === null) {
        for (const undone of reserve) allocator.free(undone);
        return null;
      }
      reserve.push(element);
    }
    return new Mempool(options, reserve);
  }

  /** How many elements the reserve is to have. */
  get minNr(): number {
    return this.#minNr;
  }

  /** How many elements the reserve has. */
  get currNr(): number {
    return this.#reserve.length;
  }

  /** The fewest elements that the reserve ever had. */
  get lowestNr(): number {
    return this.#lowestNr;
  }

  /** Elements that were taken from the reserve. */
  get fromReserve(): number {
    return this.#fromReserve;
  }

  /** Allocations that had to wait, for memory or for an element to be given back. */
  get waits(): number {
    return this.#waits;
  }

  /** Elements handed out and not given back. */
  get liveCount(): number {
    return this.#liveCount;
  }

  /** While memory may come back, somebody who waits may be helped by it. */
  get endsBy(): EndsBy | undefined {
    return this.#allocator.isExhausted === true ? "any" : undefined;
  }

  /** The elements handed out: any of them coming back ends a wait. Known only while exploring. */
  blockers(): readonly object[] {
    return this.#holders === null ? [] : [...this.#holders];
  }

  /**
   * Takes an element: from memory if it is there for the asking, else from the reserve.
   *
   * Waits: if `gfp` allows, until memory is reclaimed or an element is given back. Then never null.
   */
  alloc(gfp: Gfp, task: Task): Awaitable<T | null> {
    if ((gfp & WAIT) !== 0) assertMaySleep(task, this.#acquire.label);
    return this.#holders === null ? this.#allocNow(gfp, task) : this.#allocExplored(gfp, task);
  }

  /** Gives an element back. Refills the reserve before memory: a sleeper lives on the reserve. */
  free(element: T | null): void {
    if (element === null) return;
    if (this.#isDestroyed) this.#refuseAfterEnd();
    if (this.#holders !== null) this.#tellFree(element, this.#holders);
    this.#liveCount -= 1;
    if (this.#reserve.length >= this.#minNr) {
      this.#allocator.free(element);
      return;
    }
    this.#reserve.push(element);
    this.#sleepers.wakeOne();
  }

  /**
   * Changes how many elements the reserve is to have. When memory does not suffice to fill a
   * larger one, later frees do.
   *
   * Waits: for memory, when the reserve grows.
   */
  resize(minNr: number, task: Task): Awaitable<void> {
    invariant(Number.isSafeInteger(minNr) && minNr >= 1, `${this.label}: a pool without a reserve`);
    if (this.#isDestroyed) this.#refuseAfterEnd();
    this.#minNr = minNr;
    while (this.#reserve.length > minNr) {
      const surplus = this.#reserve.pop();
      if (surplus !== undefined) this.#allocator.free(surplus);
    }
    this.#noteLevel();
    if (this.#reserve.length < minNr) return this.#topUp(task);
  }

  /** Gives the reserve back to memory. All elements must have been freed, and nobody may sleep. */
  destroy(): void {
    if (this.#isDestroyed) this.#refuseAfterEnd();
    if (this.#liveCount > 0) {
      const live = String(this.#liveCount);
      this.#scheduler.warn(`${this.label} is destroyed with ${live} of its elements in use`);
    }
    this.#isDestroyed = true;
    this.#allocator.reserves?.delete(this);
    for (const element of this.#reserve.splice(0)) this.#allocator.free(element);
    this.#allocator.letGoOfAll?.();
  }

  #tellFree(element: T, holders: Set<T>): void {
    this.#scheduler.touch(this.#release);
    invariant(holders.delete(element), `double free: ${this.label}`);
    this.#scheduler.lockWatcher?.givesBack(this, element);
  }

  #allocExplored(gfp: Gfp, task: Task): Awaitable<T | null> {
    const scheduler = this.#scheduler;
    // An interrupt or the holder of a spinlock asks without waiting, and cannot be preempted.
    if (task.atomicDepth > 0 || scheduler.inInterrupt) {
      scheduler.touch(this.#acquire);
      return this.#allocNow(gfp, task);
    }
    const preempted = scheduler.mayPreempt(task, this.#acquire);
    if (preempted === undefined) return this.#allocTold(gfp, task);
    return preempted.then(() => this.#allocTold(gfp, task));
  }

  #allocTold(gfp: Gfp, task: Task): Awaitable<T | null> {
    const allowed = effectiveGfp(gfp, task.gfpScope);
    this.#scheduler.lockWatcher?.allocates(task, allowed, this.label, this);
    return this.#allocNow(gfp, task);
  }

  #allocNow(gfp: Gfp, task: Task): Awaitable<T | null> {
    if (this.#isDestroyed) this.#refuseAfterEnd();
    const { gfpScope } = task;
    const mask = (gfpScope === 0 ? gfp : effectiveGfp(gfp, gfpScope)) | POOL_BITS;
    // Memory first, without waiting: the reserve is for when there is none. Nearly all end here.
    const element = this.#allocator.tryAlloc(mask & FIRST_MASK);
    return element === null ? this.#allocReserved(mask, task) : this.#handOut(element, task);
  }

  #allocReserved(mask: Gfp, task: Task): Awaitable<T | null> {
    const element = this.#takeReserve();
    if (element !== null) return this.#handOut(element, task);
    return (mask & FIRST_MASK) === mask ? null : this.#allocWithFullPower(mask, task);
  }

  #allocWithFullPower(mask: Gfp, task: Task): Awaitable<T | null> {
    const attempt = this.#allocator.alloc(mask, task);
    if (isPending(attempt)) return this.#allocWaiting(attempt, mask, task);
    const element = attempt ?? this.#takeReserve();
    if (element !== null) return this.#handOut(element, task);
    return mayWait(mask) ? this.#allocWaiting(null, mask, task) : null;
  }

  async #allocWaiting(first: Awaitable<T | null>, mask: Gfp, task: Task): Promise<T | null> {
    this.#waits += 1;
    let attempt = first;
    for (;;) {
      const element = (isPending(attempt) ? await attempt : attempt) ?? this.#takeReserve();
      if (element !== null) {
        // The wake-up that ended our sleep may have been for an element that we did not need.
        if (this.#reserve.length > 0) this.#sleepers.wakeOne();
        return this.#handOut(element, task);
      }
      if (!mayWait(mask)) return null;
      // Nothing runs between the look at the empty reserve and this, so no wake-up is lost.
      await this.#sleepers.sleepExclusive(task, RETRY_MS, true);
      this.#scheduler.touch(this.#acquire);
      if (this.#isDestroyed) this.#refuseAfterEnd();
      attempt = this.#allocator.alloc(mask, task);
    }
  }

  async #topUp(task: Task): Promise<void> {
    while (this.#reserve.length < this.#minNr) {
      const element = await this.#allocator.alloc(GFP_KERNEL, task);
      if (element === null) return;
      // Whoever freed an element meanwhile, or resized again, was faster.
      if (this.#isDestroyed || this.#reserve.length >= this.#minNr) {
        this.#allocator.free(element);
        return;
      }
      this.#reserve.push(element);
      this.#sleepers.wakeOne();
    }
  }

  #takeReserve(): T | null {
    const element = this.#reserve.pop();
    if (element === undefined) return null;
    this.#fromReserve += 1;
    this.#noteLevel();
    return element;
  }

  #noteLevel(): void {
    if (this.#reserve.length < this.#lowestNr) this.#lowestNr = this.#reserve.length;
  }

  #handOut(element: T, task: Task): T {
    this.#liveCount += 1;
    if (this.#holders !== null) this.#tellTaken(element, task, this.#holders);
    return element;
  }

  #tellTaken(element: T, task: Task, holders: Set<T>): void {
    holders.add(element);
    this.#scheduler.lockWatcher?.takes(this, element, task);
  }

  #refuseAfterEnd(): never {
    invariant(false, `use after free: ${this.label} was destroyed`);
  }
}

function reserveAtOnce<T extends object>(options: MempoolOptions<T>): T[] {
  const { allocator, label, minNr } = options;
  const reserve: T[] = [];
  while (reserve.length < minNr) {
    const element = allocator.tryAlloc(GFP_KERNEL);
    if (element === null) {
      for (const undone of reserve) allocator.free(undone);
      throw new OutOfMemoryError(`no memory for the reserve of ${label}`);
    }
    reserve.push(element);
  }
  return reserve;
}
