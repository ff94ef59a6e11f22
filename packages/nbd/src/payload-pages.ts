import { type Bytes, type Page, PAGE_BYTES } from "@blkstack/bio";
import { type Memory, PageAllocator } from "@blkstack/memory";
import { type Awaitable, type Gfp, isPending, type Task } from "@blkstack/task";
import type { NbdLimits } from "./limits.ts";
import type { StallWatch } from "./stall-watch.ts";

/** Up to which size requests have a part of the memory to themselves, and which, smallest first. */
const KEPT: readonly { readonly pagesMax: number; readonly share: number; readonly of: string }[] =
  [
    { pagesMax: (64 * 1024) / PAGE_BYTES, share: 1 / 64, of: "small" },
    { pagesMax: (1024 * 1024) / PAGE_BYTES, share: 1 / 16, of: "medium" },
  ];

/** What is read around a request that begins and ends inside of blocks, and more. */
const EDGES_BYTES = 4 * PAGE_BYTES;

interface Kept {
  readonly pagesMax: number;
  readonly pages: PageAllocator;
}

/**
 * Memory for the payload of all clients. Who waits is served in order, so that large requests are
 * not starved by small ones; for small and for medium ones parts are kept that they get when the
 * rest is taken, so that they do not wait behind larger ones whose clients take their time.
 */
export class PayloadPages {
  readonly #common: PageAllocator;
  /** None, when there is no more than large requests need. */
  readonly #kept: Kept[] = [];
  readonly #ofKept = new Map<Page, PageAllocator>();
  readonly #stalls: StallWatch;

  constructor(memory: Memory, limits: NbdLimits, stalls: StallWatch) {
    this.#stalls = stalls;
    const limitPages = Math.ceil(limits.serverBytesMax / PAGE_BYTES);
    // The largest request must have room, also when it ends inside of blocks.
    let sparePages = limitPages - roundedPages(limits.requestBytesMax + EDGES_BYTES);
    let commonPages = limitPages;
    for (const { pagesMax, share, of } of KEPT) {
      const keptPages = Math.min(sparePages, Math.floor(limitPages * share));
      if (keptPages < pagesMax) break;
      const label = `nbd payload of ${of} requests`;
      this.#kept.push({
        pagesMax,
        pages: new PageAllocator({ memory, limitPages: keptPages, label }),
      });
      sparePages -= keptPages;
      commonPages -= keptPages;
    }
    this.#common = new PageAllocator({ memory, limitPages: commonPages, label: "nbd payload" });
  }

  get usedPages(): number {
    return this.#kept.reduce((sum, { pages }) => sum + pages.usedPages, this.#common.usedPages);
  }

  /**
   * Takes pages, which lie one behind the other. Null when there cannot ever be so many.
   *
   * Waits: until they are given back.
   */
  alloc(gfp: Gfp, task: Task, pageCount: number): Awaitable<Page | null> {
    const kept = this.#keptFor(pageCount);
    if (kept === null) return this.#watched(this.#common.alloc(gfp, task, pageCount));
    const page = this.#common.tryAlloc(gfp, pageCount);
    return page ?? this.#watched(this.#allocKept(kept, gfp, task, pageCount));
  }

  /** Gives back what was allocated. Waits: never. */
  free(page: Page): void {
    const kept = this.#ofKept.size > 0 ? this.#ofKept.get(page) : undefined;
    if (kept === undefined) this.#common.free(page);
    else {
      this.#ofKept.delete(page);
      kept.free(page);
    }
  }

  #keptFor(pageCount: number): PageAllocator | null {
    for (const { pagesMax, pages } of this.#kept) if (pageCount <= pagesMax) return pages;
    return null;
  }

  #allocKept(kept: PageAllocator, gfp: Gfp, task: Task, pageCount: number): Awaitable<Page | null> {
    const page = kept.alloc(gfp, task, pageCount);
    if (isPending(page)) return page.then((late) => this.#remember(late, kept));
    return this.#remember(page, kept);
  }

  #watched(page: Awaitable<Page | null>): Awaitable<Page | null> {
    if (!isPending(page)) return page;
    this.#stalls.waitBegins();
    return page.then((late) => {
      this.#stalls.waitEnds();
      return late;
    });
  }

  #remember(page: Page | null, kept: PageAllocator): Page | null {
    if (page !== null) this.#ofKept.set(page, kept);
    return page;
  }
}

function roundedPages(bytes: Bytes): number {
  return 2 ** Math.ceil(Math.log2(Math.ceil(bytes / PAGE_BYTES)));
}
