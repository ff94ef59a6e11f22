import { SECTOR_BYTES } from "@blkstack/bio";
import { type QueueLimits, stackingLimits } from "@blkstack/block";

/** The size of a bio is below 4 GiB: no limit of a disk in memory is tighter. */
const MAX_SECTORS = Math.floor(0xffff_ffff / SECTOR_BYTES);

/** What memory can take in one bio: all that a bio can hold. */
export const MEMORY_LIMITS: QueueLimits = {
  ...stackingLimits(),
  maxSectors: MAX_SECTORS,
  maxHwSectors: MAX_SECTORS,
  maxDiscardSectors: MAX_SECTORS,
  discardGranularityBytes: SECTOR_BYTES,
  maxWriteZeroesSectors: MAX_SECTORS,
};
