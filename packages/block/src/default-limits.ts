import { SECTOR_BYTES } from "@blkstack/bio";
import type { QueueLimits } from "./limits.ts";

const SEGMENT_BYTES_DEFAULT = 65_536;
const SEGMENTS_STACKED_MAX = 65_535;
/** Segments end at multiples of 4 GiB, as far as a 32-bit DMA engine can count. */
const BOUNDARY_MASK_4_GIB = 0xffff_ffff;

/** The limits of a disk that says nothing about itself: old, small and careful. */
export function defaultLimits(): QueueLimits {
  return {
    ...unlimited(),
    maxSectors: 255,
    maxHwSectors: 255,
    maxSegments: 128,
    maxSegmentBytes: SEGMENT_BYTES_DEFAULT,
    dmaAlignmentMask: SECTOR_BYTES - 1,
    maxWriteZeroesSectors: 0,
    hasFua: false,
    canNoWait: false,
  };
}

/**
 * What a stacked device starts from: it limits nothing by itself, and each `stackLimits` narrows it
 * to what a lower device can take.
 *
 * Discard and secure erase start at 0, for "as much as you like" would otherwise be left over where
 * no lower device can do either.
 */
export function stackingLimits(): QueueLimits {
  return unlimited();
}

function unlimited(): QueueLimits {
  return {
    logicalBlockBytes: SECTOR_BYTES,
    physicalBlockBytes: SECTOR_BYTES,
    ioMinBytes: SECTOR_BYTES,
    ioOptBytes: 0,
    maxSectors: Infinity,
    maxHwSectors: Infinity,
    maxSegments: SEGMENTS_STACKED_MAX,
    maxSegmentBytes: Infinity,
    segmentBoundaryMask: BOUNDARY_MASK_4_GIB,
    dmaAlignmentMask: 0,
    isGapless: false,
    chunkSectors: 0,
    maxDiscardSectors: 0,
    discardGranularityBytes: 0,
    discardAlignmentBytes: 0,
    maxWriteZeroesSectors: Infinity,
    maxSecureEraseSectors: 0,
    alignmentOffsetBytes: 0,
    isMisaligned: false,
    hasVolatileCache: false,
    hasFua: true,
    canNoWait: true,
    bounceFrame: Infinity,
  };
}
