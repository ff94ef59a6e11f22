/// <reference lib="es2024.arraybuffer" />
import { invariant, type Page, PAGE_BYTES } from "@blkstack/bio";
import type { Allocator } from "@blkstack/mempool";

export interface PageArenaOptions {
  readonly label: string;
  /** The most pages that are live at a time. Address space is taken for all, memory as it is used. */
  readonly limitPages: number;
}

/**
 * Pages at addresses that are multiples of the page size, as direct I/O wants them.
 *
 * The language says nothing of addresses. Engines place the memory of a buffer that can be resized
 * by pages, for they could not take pieces of it back otherwise; a direct read tells whether it is
 * so, and the tests of this package make one.
 */
export class PageArena implements Allocator<Page> {
  readonly label: string;
  readonly limitPages: number;
  readonly buffer: ArrayBuffer;
  readonly #free: Page[] = [];
  #madeCount = 0;
  #liveCount = 0;

  constructor({ label, limitPages }: PageArenaOptions) {
    invariant(Number.isSafeInteger(limitPages) && limitPages > 0, `${label}: no pages at all`);
    this.label = label;
    this.limitPages = limitPages;
    const maxByteLength = limitPages * PAGE_BYTES;
    this.buffer = new ArrayBuffer(maxByteLength, { maxByteLength });
  }

  /** Pages handed out and not given back. */
  get liveCount(): number {
    return this.#liveCount;
  }

  /** Takes a page while there are any. Waits: never. */
  tryAlloc(): Page | null {
    const page = this.#free.pop() ?? this.#make();
    if (page !== null) this.#liveCount += 1;
    return page;
  }

  /** As `tryAlloc`: nothing can be reclaimed here. Waits: never. */
  alloc(): Page | null {
    return this.tryAlloc();
  }

  /** Waits: never. */
  free(page: Page): void {
    if (page.bytes.buffer !== this.buffer) {
      invariant(false, `${this.label} was given back a page that is not its own`);
    }
    this.#liveCount -= 1;
    this.#free.push(page);
  }

  #make(): Page | null {
    if (this.#madeCount === this.limitPages) return null;
    const frame = this.#madeCount;
    this.#madeCount += 1;
    return { bytes: new Uint8Array(this.buffer, frame * PAGE_BYTES, PAGE_BYTES), frame };
  }
}
