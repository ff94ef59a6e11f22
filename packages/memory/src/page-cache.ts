import { invariant, type Page, PAGE_BYTES } from "@blkstack/bio";

/** A page that knows whether somebody has it. */
export class PooledPage implements Page {
  readonly bytes: Uint8Array;
  readonly frame: number;
  readonly cache: PageCache;
  isLive = true;

  constructor(cache: PageCache, frame: number, pageCount: number) {
    this.cache = cache;
    this.frame = frame;
    this.bytes = new Uint8Array(pageCount * PAGE_BYTES);
  }
}

/**
 * Makes pages and keeps those given back, by size. Pages in use and kept together stay within the
 * limit: when another size is wanted, kept ones are let go.
 */
export class PageCache {
  readonly #limitPages: number;
  /** At index k: those of 2^k pages. */
  readonly #kept: readonly PooledPage[][];
  /** Pages that exist: in use or kept. */
  #existing = 0;
  /** A frame number is never given out twice, so that a page let go is not taken for another. */
  #nextFrame = 0;

  constructor(limitPages: number) {
    this.#limitPages = limitPages;
    this.#kept = Array.from({ length: classOf(limitPages) + 1 }, () => []);
  }

  /** `pageCount` is a power of two, and fits beside what is in use. */
  take(pageCount: number): PooledPage {
    const kept = this.#kept[classOf(pageCount)]?.pop();
    if (kept !== undefined) {
      kept.isLive = true;
      return kept;
    }
    this.#makeRoom(pageCount);
    const page = new PooledPage(this, this.#nextFrame, pageCount);
    this.#nextFrame += pageCount;
    this.#existing += pageCount;
    return page;
  }

  get existingPages(): number {
    return this.#existing;
  }

  put(page: Page, label: string): void {
    if (!(page instanceof PooledPage) || page.cache !== this) {
      invariant(false, `${label} was given back a page that is not its own`);
    }
    if (!page.isLive) invariant(false, `double free: a page of ${label}`);
    page.isLive = false;
    this.#kept[classOf(page.bytes.length / PAGE_BYTES)]?.push(page);
  }

  /** Lets go of the largest first: fewest have to be made again. */
  #makeRoom(pageCount: number): void {
    for (let index = this.#kept.length - 1; index >= 0; index -= 1) {
      const kept = this.#kept[index] ?? [];
      while (this.#existing + pageCount > this.#limitPages && kept.length > 0) {
        kept.pop();
        this.#existing -= 2 ** index;
      }
    }
  }
}

function classOf(pageCount: number): number {
  return 31 - Math.clz32(pageCount);
}
