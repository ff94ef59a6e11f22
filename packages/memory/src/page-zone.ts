import { invariant } from "@blkstack/bio";
import {
  type Access,
  AccessMode,
  type Gfp,
  GfpBit,
  type Scheduler,
  type Task,
  type Waitable,
} from "@blkstack/task";
import { type PageBudget, watermarksOf } from "./watermarks.ts";

/** How long somebody waits for pages before asking all caches again, whether or not any came back. */
const RETRY_MS = 100;

/** Somebody who waits for so many pages. */
interface Turn {
  readonly task: Task;
  readonly pages: number;
}

/** Who keeps pages only because they may be wanted again. */
export interface PageKeeper {
  /**
   * Gives so many pages, or all that are kept, back to the zone. Answers whether anything is kept
   * still; if not, it is forgotten until `addKeeper`. Waits: never.
   */
  letGo(pages: number): boolean;
}

/** Pages that only a swap space can take. */
export interface Swappable {
  /** Writes up to `wanted` pages out and gives them back; how many. Waits: for the swap device. */
  swapOut(wanted: number, task: Task): Promise<number>;
}

/** The pages of a system: how many are free, who keeps some in vain, and who waits for them. */
export class PageZone implements Waitable {
  readonly label = "pages of memory";
  totalPages: number;
  minPages: number;
  lowPages: number;
  highPages: number;
  readonly #scheduler: Scheduler;
  readonly #line: Turn[] = [];
  readonly #keepers = new Set<PageKeeper>();
  /** Those who have pages that can be swapped out. */
  readonly swappable: Set<Swappable> = new Set<Swappable>();
  /** Who frees pages at present, and so is in the way of those who wait for them. */
  readonly reclaimers: Set<Task> = new Set<Task>();
  /** Called when fewer than `lowPages` are free; `isStalled`: and a task waits for more. */
  onLow: ((isStalled: boolean) => void) | null = null;
  /** Who has taken pages in its own name, as far as that is known; only while exploring. */
  readonly #holders: Map<Task, number> | null;
  readonly #acquire: Access;
  /** As `#acquire`, where the story has been told of it or need not be. */
  readonly #look: Access;
  readonly #release: Access;
  /** Whether free pages should come back rather than be kept for reuse. A field: it is asked often. */
  isShort = false;
  #freePages: number;
  #givenPages = 0;
  #belowMin = 0;

  constructor(scheduler: Scheduler, budget: PageBudget) {
    const { totalPages, minPages, lowPages, highPages } = watermarksOf(budget);
    this.totalPages = totalPages;
    this.minPages = minPages;
    this.lowPages = lowPages;
    this.highPages = highPages;
    this.#freePages = totalPages;
    this.#scheduler = scheduler;
    this.#holders = scheduler.isExploring ? new Map() : null;
    this.#acquire = { object: this, mode: AccessMode.Acquire, label: "take pages" };
    this.#look = { object: this, mode: AccessMode.Acquire, label: "" };
    this.#release = { object: this, mode: AccessMode.Release, label: "give pages back" };
  }

  get freePages(): number {
    return this.#freePages;
  }

  /** How many were ever given back: it grows whenever anything gets better. */
  get givenPages(): number {
    return this.#givenPages;
  }

  /** Times that pages were taken from below the lowest watermark. */
  get belowMin(): number {
    return this.#belowMin;
  }

  /** Who frees pages, and those who have some. */
  blockers(): readonly object[] {
    return [...new Set([...this.reclaimers, ...(this.#holders?.keys() ?? [])])];
  }

  /** How many more are to be free before background reclaim may rest. Waits: never. */
  missingPages(): number {
    this.#scheduler.touch(this.#look);
    let wanted = this.highPages;
    for (const { pages } of this.#line) wanted = Math.max(wanted, pages + this.minPages);
    return wanted - this.#freePages;
  }

  /**
   * Changes how many pages there are, and the watermarks. Throws an InvariantError when those in use
   * are too many for it. Waits: never.
   */
  resize(budget: PageBudget): void {
    const { totalPages, minPages, lowPages, highPages } = watermarksOf(budget);
    const freePages = this.#freePages + totalPages - this.totalPages;
    if (freePages < minPages) invariant(false, "more pages are in use than there shall be");
    this.totalPages = totalPages;
    this.minPages = minPages;
    this.lowPages = lowPages;
    this.highPages = highPages;
    this.#freePages = freePages;
    this.#noteShort();
    this.wakeServed();
  }

  /** A point where others may run before `task` takes pages; undefined where there is none. */
  mayPreempt(task: Task): Promise<void> | undefined {
    // An interrupt or the holder of a spinlock asks without waiting, and cannot be preempted.
    if (task.atomicDepth === 0 && !this.#scheduler.inInterrupt) {
      return this.#scheduler.mayPreempt(task, this.#acquire);
    }
    this.announce();
    return undefined;
  }

  /** Tells that pages are about to be taken, where nobody may run first. Waits: never. */
  announce(): void {
    this.#scheduler.touch(this.#acquire);
  }

  /**
   * Takes pages if more than the watermark of `gfp` stay free. `task`: in whose name, where that is
   * known. Waits: never.
   */
  tryTake(pages: number, gfp: Gfp, task: Task | null): boolean {
    this.#scheduler.touch(this.#look);
    const left = this.#freePages - pages;
    if (left < this.lowPages) {
      this.onLow?.(false);
      if (left < this.minPages && !this.#findBelowMin(pages, gfp, task)) return false;
    }
    this.#freePages -= pages;
    this.#noteShort();
    return true;
  }

  /** Gives pages back. Waits: never. */
  give(pages: number): void {
    this.#scheduler.touch(this.#release);
    this.#freePages += pages;
    this.#givenPages += pages;
    if (this.#freePages > this.totalPages) invariant(false, "more pages are given back than taken");
    this.#noteShort();
    if (this.#line.length > 0) this.wakeServed();
  }

  /** Notes, while exploring, that `task` has so many pages more, or fewer. */
  credit(task: Task, pages: number): void {
    if (this.#holders === null) return;
    const has = (this.#holders.get(task) ?? 0) + pages;
    if (has > 0) this.#holders.set(task, has);
    else this.#holders.delete(task);
  }

  /** Somebody gave back pages without saying whose: it is not known any more who has some. */
  forgetHolders(): void {
    this.#holders?.clear();
  }

  /** Has `keeper` asked when memory is short, until it keeps nothing any more. */
  addKeeper(keeper: PageKeeper): void {
    this.#keepers.add(keeper);
  }

  /** It keeps nothing. */
  forgetKeeper(keeper: PageKeeper): void {
    this.#keepers.delete(keeper);
  }

  /** Has those who keep pages for reuse give back about so many. Waits: never. */
  takeKept(pages: number): void {
    const enough = this.#freePages + pages;
    for (const keeper of this.#keepers) {
      if (this.#freePages >= enough) return;
      if (!keeper.letGo(enough - this.#freePages)) this.#keepers.delete(keeper);
    }
  }

  /** Waits: until there may be so many pages, or it is time to look for them again. */
  async sleep(task: Task, pages: number): Promise<void> {
    const turn: Turn = { task, pages };
    this.#line.push(turn);
    this.isShort = true;
    this.onLow?.(true);
    await task.scheduler.sleep(task, this, RETRY_MS, true);
    const index = this.#line.indexOf(turn);
    if (index >= 0) this.#line.splice(index, 1);
    this.#noteShort();
    this.#scheduler.touch(this.#look);
  }

  /** Wakes those who wait, in order, as far as pages go. Waits: never. */
  wakeServed(): void {
    let left = this.#freePages - this.minPages;
    for (const { task, pages } of this.#line) {
      if (pages > left) continue;
      left -= pages;
      task.scheduler.wake(task);
    }
  }

  /** Wakes all who wait: something can be freed now that could not before. Waits: never. */
  wakeAll(): void {
    this.#scheduler.touch(this.#release);
    for (const { task } of this.#line) task.scheduler.wake(task);
    if (this.#freePages < this.lowPages) this.onLow?.(true);
  }

  #noteShort(): void {
    this.isShort = this.#freePages < this.lowPages || this.#line.length > 0;
  }

  /** What is only kept for reuse is as good as free, and an emergency less urgent than that. */
  #findBelowMin(pages: number, gfp: Gfp, task: Task | null): boolean {
    this.takeKept(pages + this.minPages - this.#freePages);
    const left = this.#freePages - pages;
    return left >= this.minPages || this.#mayGoBelow(left, gfp, task);
  }

  /** Emergencies may have half of what is kept for them, and who frees pages all of it. */
  #mayGoBelow(left: number, gfp: Gfp, task: Task | null): boolean {
    const isFreeing = task !== null && this.reclaimers.has(task) && (gfp & GfpBit.NoMemalloc) === 0;
    const isUrgent = (gfp & GfpBit.High) !== 0;
    const floor = isFreeing ? 0 : isUrgent ? Math.ceil(this.minPages / 2) : this.minPages;
    if (left < floor) return false;
    this.#belowMin += 1;
    return true;
  }
}
