import { BIO_MAX_VECS, SECTOR_BYTES } from "@blkstack/bio";
import { type QueueLimits, stackingLimits } from "@blkstack/block";

/** The size of a bio is below 4 GiB, and zeroing or discarding takes any range. */
const MAX_RANGE_SECTORS = Math.floor(0xffff_ffff / SECTOR_BYTES);

/** One transfer is bounded to what NBD clients send at most, 32 MiB. */
const MAX_TRANSFER_SECTORS = 65_536;

/** What an image file can take in one bio. */
export const FILE_LIMITS: QueueLimits = {
  ...stackingLimits(),
  maxSectors: MAX_TRANSFER_SECTORS,
  maxHwSectors: MAX_TRANSFER_SECTORS,
  maxSegments: BIO_MAX_VECS,
  maxDiscardSectors: MAX_RANGE_SECTORS,
  discardGranularityBytes: SECTOR_BYTES,
  maxWriteZeroesSectors: MAX_RANGE_SECTORS,
  // The page cache of the host is the volatile cache.
  hasVolatileCache: true,
  // Serving inside the call may block on the host's disk.
  canNoWait: false,
};

/**
 * The same past the page cache of the host: memory must lie as its disk wants it. What that is cannot
 * be asked for here, and 512 is right for most. For a disk of 4096 bytes to a sector, `limits` of the
 * options is to say so: `dmaAlignmentMask` 4095, and 4096 for the logical and the physical block.
 */
export const DIRECT_LIMITS: QueueLimits = { ...FILE_LIMITS, dmaAlignmentMask: SECTOR_BYTES - 1 };
