import { BIO_MAX_VECS, SECTOR_BYTES } from "@blkstack/bio";
import type { QueueLimits } from "@blkstack/block";

/** The size of a bio is below 4 GiB, and zeroing or discarding takes any range. */
const MAX_RANGE_SECTORS = Math.floor(0xffff_ffff / SECTOR_BYTES);

/** One transfer is bounded to what NBD clients send at most, 32 MiB. */
const MAX_TRANSFER_SECTORS = 65_536;

/** What an image file can take in one bio. */
export const FILE_LIMITS: QueueLimits = {
  logicalBlockBytes: SECTOR_BYTES,
  physicalBlockBytes: SECTOR_BYTES,
  ioMinBytes: SECTOR_BYTES,
  ioOptBytes: 0,
  maxSectors: MAX_TRANSFER_SECTORS,
  maxHwSectors: MAX_TRANSFER_SECTORS,
  maxSegments: BIO_MAX_VECS,
  maxSegmentBytes: 0xffff_ffff,
  segmentBoundaryMask: 0xffff_ffff,
  dmaAlignmentMask: 0,
  isGapless: false,
  chunkSectors: 0,
  maxDiscardSectors: MAX_RANGE_SECTORS,
  discardGranularityBytes: SECTOR_BYTES,
  discardAlignmentBytes: 0,
  maxWriteZeroesSectors: MAX_RANGE_SECTORS,
  maxSecureEraseSectors: 0,
  alignmentOffsetBytes: 0,
  isMisaligned: false,
  // The page cache of the host is the volatile cache.
  hasVolatileCache: true,
  hasFua: true,
  canNoWait: false,
  bounceFrame: Infinity,
};
