import { type Bytes, type Page, PAGE_BYTES } from "@blkstack/bio";
import { type Memory, PageAllocator } from "@blkstack/memory";
import { type Awaitable, type Gfp, isPending, type Task } from "@blkstack/task";
import type { NbdLimits } from "./limits.ts";
import type { StallWatch } from "./stall-watch.ts";

/** What has a part of the memory for itself, which nothing larger may have. */
const SMALL_PAGES = (64 * 1024) / PAGE_BYTES;
const SMALL_SHARE = 1 / 16;

/**
 * Memory for the payload of all clients. Who waits is served in order, so that large requests are
 * not starved by small ones; for small ones a part is kept that they get when the rest is taken, so
 * that they do not wait behind large ones whose clients take their time.
 */
export class PayloadPages {
  readonly #common: PageAllocator;
  /** Null: there is no more than large requests need. */
  readonly #kept: PageAllocator | null;
  readonly #ofKept = new Set<Page>();
  readonly #stalls: StallWatch;

  constructor(memory: Memory, limits: NbdLimits, stalls: StallWatch) {
    this.#stalls = stalls;
    const limitPages = Math.ceil(limits.serverBytesMax / PAGE_BYTES);
    // Two of the largest requests must be able to be there at a time.
    const spare = limitPages - 2 * roundedPages(limits.requestBytesMax);
    const keptPages = Math.max(0, Math.min(spare, Math.floor(limitPages * SMALL_SHARE)));
    const label = "nbd payload";
    this.#common = new PageAllocator({ memory, limitPages: limitPages - keptPages, label });
    this.#kept =
      keptPages < SMALL_PAGES
        ? null
        : new PageAllocator({
            memory,
            limitPages: keptPages,
            label: "nbd payload of small requests",
          });
  }

  get usedPages(): number {
    return this.#common.usedPages + (this.#kept?.usedPages ?? 0);
  }

  /**
   * Takes pages, which lie one behind the other. Null when there cannot ever be so many.
   *
   * Waits: until they are given back.
   */
  alloc(gfp: Gfp, task: Task, pageCount: number): Awaitable<Page | null> {
    const kept = pageCount > SMALL_PAGES ? null : this.#kept;
    if (kept === null) return this.#watched(this.#common.alloc(gfp, task, pageCount));
    const page = this.#common.tryAlloc(gfp, pageCount);
    return page ?? this.#watched(this.#allocKept(kept, gfp, task, pageCount));
  }

  /** Gives back what was allocated. Waits: never. */
  free(page: Page): void {
    if (this.#ofKept.size > 0 && this.#ofKept.delete(page)) this.#kept?.free(page);
    else this.#common.free(page);
  }

  #allocKept(kept: PageAllocator, gfp: Gfp, task: Task, pageCount: number): Awaitable<Page | null> {
    const page = kept.alloc(gfp, task, pageCount);
    if (isPending(page)) return page.then((late) => this.#remember(late));
    return this.#remember(page);
  }

  #watched(page: Awaitable<Page | null>): Awaitable<Page | null> {
    if (!isPending(page)) return page;
    this.#stalls.waitBegins();
    return page.then((late) => {
      this.#stalls.waitEnds();
      return late;
    });
  }

  #remember(page: Page | null): Page | null {
    if (page !== null) this.#ofKept.add(page);
    return page;
  }
}

function roundedPages(bytes: Bytes): number {
  return 2 ** Math.ceil(Math.log2(Math.ceil(bytes / PAGE_BYTES)));
}
