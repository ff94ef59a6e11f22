import { invariant } from "@blkstack/bio";
import type { Awaitable, Task } from "@blkstack/task";

/** How pages get to a block device and back. Made by whoever can submit I/O. */
export interface SwapDevice {
  /** False: it has failed, and the pages stay in memory. Waits: for the I/O. */
  writeOut(pages: number, task: Task): Awaitable<boolean>;
  /** False: it has failed. Waits: for the I/O. */
  readIn(pages: number, task: Task): Awaitable<boolean>;
}

/** Room on a device for pages that memory can do without for a while. */
export class SwapSpace {
  readonly device: SwapDevice;
  readonly totalPages: number;
  #freePages: number;

  constructor(device: SwapDevice, totalPages: number) {
    this.device = device;
    this.totalPages = totalPages;
    this.#freePages = totalPages;
  }

  get freePages(): number {
    return this.#freePages;
  }

  /** Waits: never. */
  reserve(pages: number): void {
    this.#freePages -= pages;
    if (this.#freePages < 0) invariant(false, "more pages are swapped out than there is room for");
  }

  /** Waits: never. */
  release(pages: number): void {
    this.#freePages += pages;
    if (this.#freePages > this.totalPages) invariant(false, "swap space is given back twice");
  }
}
