import type { Bytes } from "./units.ts";

/**
 * Memory that a bio can point into: one page, or several that lie one behind the other.
 *
 * `frame` numbers the first of them in units of `PAGE_BYTES`; a device that cannot reach high
 * frames has its bios bounced.
 */
export interface Page {
  readonly bytes: Uint8Array;
  readonly frame: number;
}

/** One stretch of memory of a bio: `length` bytes from `offset` of `page`. Never empty. */
export interface BioVec {
  page: Page;
  offset: Bytes;
  length: Bytes;
}

/** Stands in a vector that was not filled yet, so that all vectors have one shape. */
export const NO_PAGE: Page = { bytes: new Uint8Array(0), frame: -1 };

/** Makes `count` vectors to be filled later. */
export function createVecs(count: number): BioVec[] {
  return Array.from({ length: count }, () => ({ page: NO_PAGE, offset: 0, length: 0 }));
}
