import { invariant } from "@blkstack/bio";
import type { Gfp, Task } from "@blkstack/task";
import { type Memory, zoneOf } from "./memory.ts";
import type { Swappable } from "./page-zone.ts";

/** The most pages that are written out at a time. */
const CLUSTER_PAGES = 32;

/**
 * Pages that belong to no file, such as the heap of a program: only a swap space can take them.
 * There is nothing in them; they are counted, written out and read in.
 */
export class AnonymousPages implements Swappable {
  readonly label: string;
  readonly #memory: Memory;
  #residentPages = 0;
  #swappedPages = 0;
  /** Of those resident: being written out, and of these how many nobody needs any more. */
  #leavingPages = 0;
  #droppedPages = 0;

  constructor(memory: Memory, label: string) {
    this.#memory = memory;
    this.label = label;
  }

  /** Pages in memory, those that are being written out included. */
  get residentPages(): number {
    return this.#residentPages;
  }

  /** Pages in the swap space. */
  get swappedPages(): number {
    return this.#swappedPages;
  }

  /** Takes pages. Waits, and answers false, as `Memory.takePages`. */
  async grow(pages: number, gfp: Gfp, task: Task): Promise<boolean> {
    if (!(await this.#memory.takePages(pages, gfp, task, this.label))) return false;
    this.#residentPages += pages;
    // They are nobody's in particular: any task that reclaims may take them away.
    const zone = zoneOf(this.#memory);
    zone?.credit(task, -pages);
    zone?.swappable.add(this);
    return true;
  }

  /** Gives pages back, those in the swap space first. Waits: never. */
  shrink(pages: number): void {
    const fromSwap = Math.min(pages, this.#swappedPages);
    const rest = pages - fromSwap;
    if (rest > this.#residentPages - this.#droppedPages)
      invariant(false, `${this.label}: no such pages`);
    this.#swappedPages -= fromSwap;
    this.#memory.swap?.release(fromSwap);
    const atOnce = Math.min(rest, this.#residentPages - this.#leavingPages);
    this.#droppedPages += rest - atOnce;
    this.#giveBack(atOnce);
  }

  /**
   * Reads in what is swapped out, as its user needs it; where memory is short other pages of the same
   * user may go for it. False: there is no memory, or the device has failed.
   *
   * Waits: for memory, then for the swap device.
   */
  async bringIn(gfp: Gfp, task: Task): Promise<boolean> {
    const { swap } = this.#memory;
    let left = this.#swappedPages;
    while (swap !== null && left > 0) {
      const pages = Math.min(CLUSTER_PAGES, left);
      left -= pages;
      if (!(await this.#memory.takePages(pages, gfp, task, this.label))) return false;
      zoneOf(this.#memory)?.credit(task, -pages);
      const isRead = await swap.device.readIn(pages, task);
      const wanted = isRead ? Math.min(pages, this.#swappedPages) : 0;
      this.#swappedPages -= wanted;
      this.#residentPages += wanted;
      swap.release(wanted);
      zoneOf(this.#memory)?.give(pages - wanted);
      if (!isRead) return false;
    }
    return true;
  }

  /**
   * Writes up to so many pages out and gives them back; how many. For reclaim.
   *
   * Waits: for the swap device.
   */
  async swapOut(wanted: number, task: Task): Promise<number> {
    const { swap } = this.#memory;
    const idle = this.#residentPages - this.#leavingPages;
    const pages = Math.min(wanted, idle, CLUSTER_PAGES, swap?.freePages ?? 0);
    if (swap === null || pages <= 0) return 0;
    this.#leavingPages += pages;
    swap.reserve(pages);
    const isWritten = await swap.device.writeOut(pages, task);
    this.#leavingPages -= pages;
    const dropped = Math.min(pages, this.#droppedPages);
    this.#droppedPages -= dropped;
    const swapped = isWritten ? pages - dropped : 0;
    swap.release(pages - swapped);
    this.#swappedPages += swapped;
    this.#giveBack(swapped + dropped);
    return swapped + dropped;
  }

  #giveBack(pages: number): void {
    this.#residentPages -= pages;
    if (this.#residentPages === 0) zoneOf(this.#memory)?.swappable.delete(this);
    zoneOf(this.#memory)?.give(pages);
  }
}
