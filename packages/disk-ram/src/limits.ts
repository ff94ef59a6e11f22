import { SECTOR_BYTES } from "@blkstack/bio";
import type { QueueLimits } from "@blkstack/block";

/** The size of a bio is below 4 GiB: no limit of a disk in memory is tighter. */
const MAX_SECTORS = Math.floor(0xffff_ffff / SECTOR_BYTES);

/** What memory can take in one bio: all that a bio can hold. */
export const MEMORY_LIMITS: QueueLimits = {
  logicalBlockBytes: SECTOR_BYTES,
  physicalBlockBytes: SECTOR_BYTES,
  ioMinBytes: SECTOR_BYTES,
  ioOptBytes: 0,
  maxSectors: MAX_SECTORS,
  maxHwSectors: MAX_SECTORS,
  maxSegments: 0xffff,
  maxSegmentBytes: 0xffff_ffff,
  segmentBoundaryMask: 0xffff_ffff,
  dmaAlignmentMask: 0,
  isGapless: false,
  chunkSectors: 0,
  maxDiscardSectors: MAX_SECTORS,
  discardGranularityBytes: SECTOR_BYTES,
  discardAlignmentBytes: 0,
  maxWriteZeroesSectors: MAX_SECTORS,
  maxSecureEraseSectors: 0,
  alignmentOffsetBytes: 0,
  isMisaligned: false,
  hasVolatileCache: false,
  hasFua: true,
  canNoWait: true,
  bounceFrame: Infinity,
};
