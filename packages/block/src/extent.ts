import type { Sectors } from "@blkstack/bio";
import type { BlockDevice } from "./device.ts";
import type { ExtentInquiry } from "./extent-inquiry.ts";

/** What may be known of sectors without reading them; bits, which may stand together. */
export const ExtentFlag = {
  /** Takes no space: a write to it may find none. */
  Hole: 1,
  /** Reads as zeroes. */
  Zero: 2,
} as const;

/** Which layer of a device the data of sectors comes from. */
export const ExtentLayer = {
  /** The device is one layer, or does not tell. */
  Only: 0,
  /** Below a snapshot: what others may write to, too. */
  Origin: 1,
  /** A copy of its own, in the store of a snapshot. */
  Cow: 2,
} as const;
export type ExtentLayer = (typeof ExtentLayer)[keyof typeof ExtentLayer];

/**
 * Sectors of which the same is known. Whoever asks makes one, and fills `sectors` in before each
 * question, so that asking makes no garbage.
 */
export interface Extent {
  /** Asked: how many sectors are of interest, 1 at least. Answered: of how many this is true. */
  sectors: Sectors;
  /** Bits of `ExtentFlag`; 0: data, as far as anybody knows. */
  flags: number;
  layer: ExtentLayer;
  /** Whose questions a device may leave unanswered for now; absent: what it knows at once is all. */
  readonly inquiry?: ExtentInquiry;
}

/**
 * Asks a device what it knows of its sectors from `sector` on; one that cannot be asked has data.
 * The range must lie within the device.
 *
 * Waits: never.
 */
export function findExtent(device: BlockDevice, sector: Sectors, extent: Extent): void {
  if (device.findExtent === undefined) setData(extent);
  else device.findExtent(sector, extent);
}

/** Answers that all of it is data: what is always true. */
export function setData(extent: Extent): void {
  extent.flags = 0;
  extent.layer = ExtentLayer.Only;
}
