import { invariant, type Page, PAGE_BYTES } from "@blkstack/bio";
import { BlockError } from "@blkstack/block";
import type { PageAllocator } from "@blkstack/memory";
import { GFP_KERNEL, GFP_NOWAIT, type Reserve } from "@blkstack/task";
import type { PageBuffer } from "./page-buffer.ts";

/**
 * Where a copier's pages come from. `PageReserve` is the one to use.
 *
 * To be able to promise progress it must be able to serve the largest request whenever nothing is
 * taken, and must keep nothing of a request that it cannot serve.
 */
export interface PageSource {
  readonly label: string;
  /** Adds `pageCount` pages of `PAGE_BYTES` to an empty buffer, all or none. Waits: never. */
  take(pageCount: number, buffer: PageBuffer): boolean;
  /** Takes all pages out of the buffer. Waits: never. */
  giveBack(buffer: PageBuffer): void;
  /** All pages are back. */
  destroy(): void;
}

/** So many pages that are always there, before an allocator that may have none. */
export class PageReserve implements PageSource, Reserve {
  readonly label: string;
  readonly #pages: PageAllocator;
  readonly #free: Page[] = [];
  readonly #reservePages: number;
  #lowestPages: number;
  #fromReserve = 0;
  #refusals = 0;
  #takenPages = 0;
  #peakPages = 0;

  /** Throws a `BlockError` (ENOMEM) when the allocator cannot give the reserve at once. */
  constructor(pages: PageAllocator, reservePages: number, label: string) {
    this.label = label;
    this.#pages = pages;
    this.#reservePages = reservePages;
    this.#lowestPages = reservePages;
    while (this.#free.length < reservePages) {
      const page = pages.tryAlloc(GFP_KERNEL);
      if (page === null) {
        this.#freeAll();
        const wanted = `${String(reservePages)} pages of ${String(PAGE_BYTES)} bytes`;
        throw new BlockError("BLK_STATE", "ENOMEM", `${label}: there are no ${wanted}`);
      }
      this.#free.push(page);
    }
    pages.reserves.add(this);
  }

  get minNr(): number {
    return this.#reservePages;
  }

  get currNr(): number {
    return this.#free.length;
  }

  get lowestNr(): number {
    return this.#lowestPages;
  }

  get fromReserve(): number {
    return this.#fromReserve;
  }

  /** Requests that could not be served at once. */
  get waits(): number {
    return this.#refusals;
  }

  /** Pages of the reserve that are there. */
  get freePages(): number {
    return this.#free.length;
  }

  /** How many pages, from the reserve or not, were taken at one time. */
  get peakPages(): number {
    return this.#peakPages;
  }

  /** Memory first: the reserve is for when there is none. */
  take(pageCount: number, buffer: PageBuffer): boolean {
    for (let taken = 0; taken < pageCount; taken += 1) {
      const page = this.#pages.tryAlloc(GFP_NOWAIT) ?? this.#takeReserve();
      if (page === undefined) {
        this.#refusals += 1;
        this.#putBack(buffer);
        return false;
      }
      buffer.add(page);
    }
    this.#takenPages += pageCount;
    if (this.#takenPages > this.#peakPages) this.#peakPages = this.#takenPages;
    return true;
  }

  giveBack(buffer: PageBuffer): void {
    this.#takenPages -= buffer.pageCount;
    this.#putBack(buffer);
  }

  destroy(): void {
    const free = this.#free.length;
    if (this.#takenPages > 0 || free !== this.#reservePages) {
      const wanted = String(this.#reservePages);
      invariant(false, `${this.label} is destroyed with ${String(free)} pages of ${wanted}`);
    }
    this.#pages.reserves.delete(this);
    this.#freeAll();
  }

  #takeReserve(): Page | undefined {
    const page = this.#free.pop();
    if (page === undefined) return undefined;
    this.#fromReserve += 1;
    this.#lowestPages = Math.min(this.#lowestPages, this.#free.length);
    return page;
  }

  /** Fills the reserve before it gives anything to memory: who waits lives on the reserve. */
  #putBack(buffer: PageBuffer): void {
    while (buffer.pageCount > 0) {
      const page = buffer.pop();
      if (this.#free.length < this.#reservePages) this.#free.push(page);
      else this.#pages.free(page);
    }
  }

  #freeAll(): void {
    for (const page of this.#free.splice(0)) this.#pages.free(page);
  }
}
