import { type Awaitable, type Gfp, GfpBit, isPending, type Task } from "@blkstack/task";
import type { Memory } from "./memory.ts";
import type { PageZone } from "./page-zone.ts";
import { SHRINK_STOP, type Shrinker } from "./shrinker.ts";

/** How many objects a shrinker is asked for at a time. */
const SCAN_BATCH = 128;

/** What reclaim has done, by who asked for it and who gave. */
export class ReclaimCounters {
  directRounds = 0;
  backgroundRounds = 0;
  /** Pages written to the swap space, and those of them for a task that may not enter a filesystem. */
  swapOuts = 0;
  swapOutsFromNofs = 0;
  /** Times that a round had freed nothing, and its task slept. */
  stalls = 0;
  /** Objects freed or promised, by the label of the shrinker. */
  readonly evictions: Map<string, number> = new Map<string, number>();
  /** Rounds by the kind of task: its name without numbers. */
  readonly roundsByTask: Map<string, number> = new Map<string, number>();
}

/** Gets pages by having others give theirs: kept ones first, then what caches can do without. */
export class Reclaim {
  readonly counters: ReclaimCounters = new ReclaimCounters();
  readonly #zone: PageZone;
  readonly #memory: Memory;

  constructor(zone: PageZone, memory: Memory) {
    this.#zone = zone;
    this.#memory = memory;
  }

  /**
   * Takes pages that are not there for the asking. `gfp`: what the scopes of `task` left of its mask.
   *
   * Waits: for whatever caches wait for, and then until pages are given back. False when there can
   * never be so many, when the first round does not help and `gfp` asks for one attempt, and when
   * the task reclaims already.
   */
  takeAfterReclaim(pages: number, gfp: Gfp, task: Task): Awaitable<boolean> {
    const zone = this.#zone;
    if (zone.reclaimers.has(task) || pages > zone.totalPages - zone.minPages) return false;
    return this.#takeWaiting(pages, gfp, task);
  }

  /**
   * Asks once everybody who has something, until `pages` are free or promised.
   *
   * Waits: for whatever caches wait for.
   */
  async round(pages: number, gfp: Gfp, task: Task): Promise<void> {
    const { lockWatcher } = task.scheduler;
    this.#count(this.counters.roundsByTask, kindOf(task), 1);
    this.#zone.reclaimers.add(task);
    lockWatcher?.entersReclaim(task, gfp);
    try {
      const before = this.#zone.givenPages;
      this.#zone.takeKept(pages);
      await this.#swapOut(pages - (this.#zone.givenPages - before), gfp, task);
      await this.#shrinkAll(pages - (this.#zone.givenPages - before), gfp, task);
    } finally {
      lockWatcher?.leavesReclaim(task);
      this.#zone.reclaimers.delete(task);
    }
  }

  async #takeWaiting(pages: number, gfp: Gfp, task: Task): Promise<boolean> {
    const zone = this.#zone;
    for (;;) {
      const before = zone.givenPages;
      this.counters.directRounds += 1;
      await this.round(this.#wanted(pages), gfp, task);
      if (zone.tryTake(pages, gfp, task)) return true;
      if ((gfp & GfpBit.NoRetry) !== 0) return false;
      // What was promised counts when it comes: promises alone would have us ask without end.
      if (zone.givenPages === before) {
        this.counters.stalls += 1;
        await zone.sleep(task, pages);
        if (zone.tryTake(pages, gfp, task)) return true;
      }
    }
  }

  async #swapOut(pages: number, gfp: Gfp, task: Task): Promise<void> {
    if (pages <= 0 || (gfp & GfpBit.Io) === 0 || this.#memory.swap === null) return;
    let left = pages;
    for (const area of [...this.#zone.swappable]) {
      while (left > 0) {
        const swapped = await area.swapOut(left, task);
        if (swapped === 0) break;
        left -= swapped;
        this.counters.swapOuts += swapped;
        if ((gfp & GfpBit.Fs) === 0) this.counters.swapOutsFromNofs += swapped;
      }
    }
  }

  async #shrinkAll(pages: number, gfp: Gfp, task: Task): Promise<void> {
    const enough = this.#zone.givenPages + pages;
    // A cache may go, or another come, while one of them waits.
    for (const shrinker of [...this.#memory.shrinkers]) {
      // What one has only promised is asked of the next as well: promises may wait for a device.
      const left = enough - this.#zone.givenPages;
      if (left <= 0) return;
      const freed = await this.#shrink(shrinker, left, gfp, task);
      if (freed > 0) this.#count(this.counters.evictions, shrinker.label, freed);
    }
  }

  async #shrink(shrinker: Shrinker, wanted: number, gfp: Gfp, task: Task): Promise<number> {
    const counted = shrinker.count(gfp, task);
    const goal = Math.min(wanted, isPending(counted) ? await counted : counted);
    let freed = 0;
    while (freed < goal) {
      const scanned = shrinker.scan(Math.min(SCAN_BATCH, goal - freed), gfp, task);
      const answer = isPending(scanned) ? await scanned : scanned;
      if (answer === SHRINK_STOP || answer <= 0) break;
      freed += answer;
    }
    return freed;
  }

  /** Enough for some allocations more, so that not each of them begins anew. */
  #wanted(pages: number): number {
    return Math.max(pages, pages + this.#zone.lowPages - this.#zone.freePages);
  }

  #count(counts: Map<string, number>, key: string, more: number): void {
    counts.set(key, (counts.get(key) ?? 0) + more);
  }
}

/** Names with numbers would be without number. */
function kindOf({ name }: Task): string {
  return name.replaceAll(/\d+/g, "N");
}
