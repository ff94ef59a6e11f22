import type { Bytes, Page } from "@blkstack/bio";

/** Which memory a device can use as it is. */
export interface Reach {
  /** Whether it is all memory: then no bio is looked at. */
  readonly isTotal: boolean;
  /**
   * What stands in for memory out of reach: a page for each, with the data at the same offset; or,
   * where memory of the wrong length is no better than memory in the wrong place, as few pages as
   * hold the data of the whole bio, from offset 0 on.
   */
  readonly placement: "same-offset" | "packed";
  /** Whether the device can use `length` bytes from `offset` of `page`; they are of one frame. */
  reaches(page: Page, offset: Bytes, length: Bytes): boolean;
}

/** All frames up to and with `bounceFrame`; `highestFrame` is the last that there is. */
export function framesUpTo(bounceFrame: number, highestFrame?: number): Reach {
  return {
    isTotal: bounceFrame >= (highestFrame ?? Infinity),
    placement: "same-offset",
    reaches: (page, offset) => frameAt(page, offset) <= bounceFrame,
  };
}

/** Memory that is known to lie at addresses: a `PageArena` does. */
export interface PlacedMemory {
  /** Begins at a multiple of the page size. */
  readonly buffer: ArrayBuffer;
}

/** Stretches of `memory` that begin at multiples of `alignBytes`, a power of two, and end at one. */
export function alignedIn(memory: PlacedMemory, alignBytes: Bytes): Reach {
  const mask = alignBytes - 1;
  const { buffer } = memory;
  return {
    isTotal: false,
    placement: "packed",
    reaches: ({ bytes }, offset, length) =>
      bytes.buffer === buffer && (((bytes.byteOffset + offset) | length) & mask) === 0,
  };
}

function frameAt(page: Page, offset: Bytes): number {
  return page.frame + (offset >>> 12);
}
