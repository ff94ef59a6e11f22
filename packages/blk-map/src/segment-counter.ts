import { type Bytes, type Page, PAGE_BYTES } from "@blkstack/bio";
import type { QueueLimits } from "@blkstack/block";

/**
 * Counts the segments that a device sees in memory that is added to a request stretch by stretch.
 * Stretches that continue each other in one page object are one segment, as long as that may be.
 */
export class SegmentCounter {
  readonly #limits: QueueLimits;
  #count = 0;
  #page: Page | null = null;
  /** Where the last stretch ends in its page. */
  #end: Bytes = 0;
  #segmentBytes: Bytes = 0;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  get count(): number {
    return this.#count;
  }

  /** Whether the device, which may forbid gaps, can take `offset` of `page` behind what there is. */
  canFollow(page: Page, offset: Bytes): boolean {
    if (!this.#limits.isGapless || this.#page === null || this.#continues(page, offset))
      return true;
    return this.#end % PAGE_BYTES === 0 && offset % PAGE_BYTES === 0;
  }

  /** How many there would be with this stretch. */
  countWith(page: Page, offset: Bytes, length: Bytes): number {
    return this.#measure(page, offset, length).count;
  }

  add(page: Page, offset: Bytes, length: Bytes): void {
    const { count, segmentBytes } = this.#measure(page, offset, length);
    this.#count = count;
    this.#segmentBytes = segmentBytes;
    this.#page = page;
    this.#end = offset + length;
  }

  /** Another one that counts on from here. */
  clone(): SegmentCounter {
    const clone = new SegmentCounter(this.#limits);
    clone.#count = this.#count;
    clone.#page = this.#page;
    clone.#end = this.#end;
    clone.#segmentBytes = this.#segmentBytes;
    return clone;
  }

  #continues(page: Page, offset: Bytes): boolean {
    return this.#page === page && this.#end === offset;
  }

  #measure(page: Page, offset: Bytes, length: Bytes): { count: number; segmentBytes: Bytes } {
    const { maxSegmentBytes, segmentBoundaryMask } = this.#limits;
    const boundary = segmentBoundaryMask + 1;
    let count = this.#count;
    let segmentBytes = this.#continues(page, offset) ? this.#segmentBytes : maxSegmentBytes;
    for (let at = offset; at < offset + length;) {
      const address = page.frame * PAGE_BYTES + at;
      const isNew = segmentBytes >= maxSegmentBytes || address % boundary === 0;
      if (isNew) {
        count += 1;
        segmentBytes = 0;
      }
      const untilBoundary = boundary - (address % boundary);
      const room = Math.min(maxSegmentBytes - segmentBytes, untilBoundary, offset + length - at);
      at += room;
      segmentBytes += room;
    }
    return { count, segmentBytes };
  }
}
