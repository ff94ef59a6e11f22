import { invariant, type Page, PAGE_BYTES } from "@blkstack/bio";
import type { Gfp, Task } from "@blkstack/task";
import type { PageKeeper, PageZone } from "./page-zone.ts";

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
 * limit: when another size is wanted, or memory is short, kept ones are let go.
 */
export class PageCache implements PageKeeper {
  readonly #limitPages: number;
  /** Where all pages that exist come from; null: they are not counted. */
  readonly #zone: PageZone | null;
  /** At index k: those of 2^k pages. */
  readonly #kept: readonly PooledPage[][];
  /** Pages that exist: in use or kept. */
  #existing = 0;
  /** A frame number is never given out twice, so that a page let go is not taken for another. */
  #nextFrame = 0;
  /** Whether the zone knows that something may be kept here. */
  #isKeeper = false;

  constructor(limitPages: number, zone: PageZone | null) {
    this.#limitPages = limitPages;
    this.#zone = zone;
    this.#kept = Array.from({ length: classOf(limitPages) + 1 }, () => []);
  }

  /**
   * `pageCount` is a power of two, and fits beside what is in use. Null: there is no memory for it.
   */
  take(pageCount: number, gfp: Gfp, task: Task | null): PooledPage | null {
    const kept = this.#kept[classOf(pageCount)]?.pop();
    if (kept !== undefined) {
      kept.isLive = true;
      return kept;
    }
    return this.#takeNew(pageCount, gfp, task);
  }

  /** Makes a page of memory that was taken for it. */
  make(pageCount: number): PooledPage {
    // Somebody may have given back, and had kept, what came in another size.
    this.#makeRoom(this.#limitPages - pageCount);
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
    const pageCount = page.bytes.length / PAGE_BYTES;
    if (this.#zone !== null && !this.#mayKeep(pageCount, this.#zone)) return;
    this.#kept[classOf(pageCount)]?.push(page);
  }

  letGo(pages: number): boolean {
    this.#makeRoom(this.#existing - pages);
    this.#isKeeper = this.#kept.some(({ length }) => length > 0);
    return this.#isKeeper;
  }

  /** Nobody will take any more. */
  letGoOfAll(): void {
    this.letGo(this.#existing);
    this.#zone?.forgetKeeper(this);
  }

  #takeNew(pageCount: number, gfp: Gfp, task: Task | null): PooledPage | null {
    this.#makeRoom(this.#limitPages - pageCount);
    if (this.#zone !== null && !this.#zone.tryTake(pageCount, gfp, task)) return null;
    return this.make(pageCount);
  }

  #mayKeep(pageCount: number, zone: PageZone): boolean {
    if (zone.isShort) {
      this.#existing -= pageCount;
      zone.give(pageCount);
      return false;
    }
    if (!this.#isKeeper) {
      this.#isKeeper = true;
      zone.addKeeper(this);
    }
    return true;
  }

  /** Lets go of kept pages while more than `pages` exist: the largest first, so that fewest are made again. */
  #makeRoom(pages: number): void {
    let gone = 0;
    for (let index = this.#kept.length - 1; index >= 0; index -= 1) {
      const kept = this.#kept[index] ?? [];
      while (this.#existing - gone > pages && kept.length > 0) {
        kept.pop();
        gone += 2 ** index;
      }
    }
    if (gone === 0) return;
    this.#existing -= gone;
    this.#zone?.give(gone);
  }
}

function classOf(pageCount: number): number {
  return 31 - Math.clz32(pageCount);
}
