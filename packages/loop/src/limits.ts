import { BIO_MAX_VECS, PAGE_BYTES, SECTOR_BYTES } from "@blkstack/bio";
import { type QueueLimits, stackingLimits } from "@blkstack/block";
import type { BackingFile } from "./backing-file.ts";

/** The size of a bio is below 4 GiB, and zeroing or discarding takes any range. */
const MAX_RANGE_SECTORS = Math.floor(0xffff_ffff / SECTOR_BYTES);

/** One transfer is bounded to what NBD clients send at most, 32 MiB. */
const MAX_TRANSFER_SECTORS = 65_536;

/** What a loop device can take in one bio. */
export function limitsOver(file: BackingFile | null, blockBytes: number): QueueLimits {
  return {
    ...stackingLimits(),
    logicalBlockBytes: blockBytes,
    physicalBlockBytes: blockBytes,
    ioMinBytes: blockBytes,
    maxSectors: MAX_TRANSFER_SECTORS,
    maxHwSectors: MAX_TRANSFER_SECTORS,
    maxSegments: BIO_MAX_VECS,
    maxDiscardSectors: file?.punchHole === undefined ? 0 : MAX_RANGE_SECTORS,
    discardGranularityBytes: file?.punchHole === undefined ? 0 : PAGE_BYTES,
    maxWriteZeroesSectors: file?.zeroRange === undefined ? 0 : MAX_RANGE_SECTORS,
    // The page cache of the filesystem is the volatile cache.
    hasVolatileCache: true,
    // The worker waits; whoever submits does not.
    canNoWait: true,
  };
}
