import { type Bytes, invariant, PAGE_BYTES } from "@blkstack/bio";
import { type Awaitable, type Gfp, mayWait, type Reserve, type Task } from "@blkstack/task";
import { type Memory, takeAfterReclaim, zoneOf } from "./memory.ts";
import type { PageKeeper, PageZone } from "./page-zone.ts";

/** How many free elements a slab keeps for reuse unless told. */
const KEEP_MAX = 256;

export interface SlabOptions {
  /** The most free elements kept for reuse; 256 unless told. */
  readonly keepMax?: number;
  /** What an element takes of the pages of memory. Default: nothing is counted. */
  readonly elementBytes?: Bytes;
}

/**
 * Elements of one kind. Those given back are handed out again, so that a steady load makes no
 * garbage; they are not reset. Where pages are counted the elements that exist, those kept
 * included, take as many as they fill, and kept ones are let go when memory is short.
 */
export class Slab<T extends object> implements PageKeeper {
  readonly label: string;
  readonly #memory: Memory;
  readonly #make: () => T;
  readonly #keepMax: number;
  readonly #elementBytes: Bytes;
  /** Where its pages come from; null: they are not counted. */
  readonly #zone: PageZone | null;
  readonly #free: T[] = [];
  /** Only while exploring: whose loss or double return is looked for. */
  readonly #live: Set<T> | null;
  #liveCount = 0;
  #pages = 0;
  /** Whether the zone knows that something may be kept here, or need not know. */
  #isKeeper: boolean;

  constructor(memory: Memory, label: string, make: () => T, options: SlabOptions = {}) {
    const { keepMax = KEEP_MAX, elementBytes = 0 } = options;
    this.label = label;
    this.#memory = memory;
    this.#make = make;
    this.#keepMax = keepMax;
    this.#elementBytes = elementBytes;
    this.#zone = elementBytes === 0 ? null : zoneOf(memory);
    this.#isKeeper = this.#zone === null;
    this.#live = memory.scheduler.isExploring ? new Set() : null;
  }

  /** Elements handed out and not given back. */
  get liveCount(): number {
    return this.#liveCount;
  }

  /** Pages of memory that its elements take, those kept for reuse included. */
  get pages(): number {
    return this.#pages;
  }

  /** Whether no attempt will succeed any more. */
  get isExhausted(): boolean {
    return this.#memory.faultPlan?.isForGood?.(this.label) === true;
  }

  /** The pools before the same memory. */
  get reserves(): Set<Reserve> {
    return this.#memory.reserves;
  }

  /** Takes an element if memory is there for the asking. Waits: never. */
  tryAlloc(gfp: Gfp): T | null {
    if (this.#memory.mayFail && this.#memory.fails(this.label, gfp)) return null;
    const kept = this.#free.pop();
    if (kept !== undefined) return this.#handOut(kept);
    if (this.#zone !== null && !this.#tryGrow(gfp, this.#zone)) return null;
    return this.#handOut(this.#make());
  }

  /**
   * Takes an element in the name of `task`. Null when there is no memory.
   *
   * Waits: if `gfp` allows, for memory to be reclaimed, where pages are counted.
   */
  alloc(gfp: Gfp, task: Task): Awaitable<T | null> {
    const allowed = this.#memory.admit(gfp, task, this.label);
    if (this.#memory.mayFail && this.#memory.fails(this.label, allowed)) return null;
    const kept = this.#free.pop();
    if (kept !== undefined) return this.#handOut(kept);
    if (this.#zone === null || this.#tryGrow(allowed, this.#zone)) {
      return this.#handOut(this.#make());
    }
    return mayWait(allowed) ? this.#allocReclaimed(allowed, task) : null;
  }

  /** Waits: never. */
  free(element: T): void {
    if (this.#liveCount === 0) invariant(false, `double free: ${this.label}`);
    if (this.#live !== null) this.#forget(element, this.#live);
    this.#liveCount -= 1;
    const zone = this.#zone;
    if (this.#free.length < this.#keepMax && zone?.isShort !== true) {
      this.#free.push(element);
      if (!this.#isKeeper) this.#becomeKeeper();
    } else if (zone !== null) {
      this.#trim(zone);
    }
  }

  letGo(pages: number): boolean {
    const enough = this.#pages - pages;
    while (this.#free.length > 0 && this.#pagesOf(this.#existing) > enough) this.#free.pop();
    if (this.#zone === null) return false;
    this.#trim(this.#zone);
    this.#isKeeper = this.#free.length > 0;
    return this.#isKeeper;
  }

  /** Gives up all that is kept for reuse: there will be no more use, for a while. Waits: never. */
  letGoOfAll(): void {
    if (!this.letGo(Infinity)) this.#zone?.forgetKeeper(this);
  }

  get #existing(): number {
    return this.#liveCount + this.#free.length;
  }

  #handOut(element: T): T {
    this.#liveCount += 1;
    if (this.#live !== null) this.#live.add(element);
    return element;
  }

  async #allocReclaimed(gfp: Gfp, task: Task): Promise<T | null> {
    // While we wait others may take for themselves, and give back theirs.
    for (let missing = this.#missing(); missing > 0; missing = this.#missing()) {
      if (!(await takeAfterReclaim(this.#memory, missing, gfp, task))) return null;
      this.#pages += missing;
    }
    const element = this.#handOut(this.#free.pop() ?? this.#make());
    if (this.#zone !== null) this.#trim(this.#zone);
    return element;
  }

  /** Makes sure that there are pages for one element more. */
  #tryGrow(gfp: Gfp, zone: PageZone): boolean {
    const missing = this.#missing();
    if (missing === 0) return true;
    if (!zone.tryTake(missing, gfp, null)) return false;
    this.#pages += missing;
    return true;
  }

  #missing(): number {
    return this.#pagesOf(this.#existing + 1) - this.#pages;
  }

  /** Gives back pages that the elements that exist do not need. */
  #trim(zone: PageZone): void {
    const surplus = this.#pages - this.#pagesOf(this.#existing);
    if (surplus <= 0) return;
    this.#pages -= surplus;
    zone.give(surplus);
  }

  #becomeKeeper(): void {
    this.#isKeeper = true;
    this.#zone?.addKeeper(this);
  }

  #pagesOf(elements: number): number {
    return Math.ceil((elements * this.#elementBytes) / PAGE_BYTES);
  }

  #forget(element: T, live: Set<T>): void {
    invariant(live.delete(element), `double free: ${this.label}`);
  }
}
