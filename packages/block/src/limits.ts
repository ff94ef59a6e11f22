import type { Bytes, Sectors } from "@blkstack/bio";

/** What a device can take in one bio. 0 means "no limit" where it says so. */
export interface QueueLimits {
  /** The smallest unit that can be addressed; a power of two. */
  logicalBlockBytes: Bytes;
  /** The smallest unit that is written without reading around it. */
  physicalBlockBytes: Bytes;
  ioMinBytes: Bytes;
  /** 0: none known. */
  ioOptBytes: Bytes;
  maxSectors: Sectors;
  maxHwSectors: Sectors;
  maxSegments: number;
  maxSegmentBytes: Bytes;
  /** A segment must not cross a multiple of this plus one. */
  segmentBoundaryMask: number;
  /** Memory must begin at multiples of this plus one. */
  dmaAlignmentMask: number;
  /** No two vectors with a gap between them in one bio. */
  isGapless: boolean;
  /** A bio must not cross a multiple of this; a power of two; 0: no such lines. */
  chunkSectors: Sectors;
  /** 0: the device cannot discard. */
  maxDiscardSectors: Sectors;
  discardGranularityBytes: Bytes;
  discardAlignmentBytes: Bytes;
  /** 0: the device cannot write zeroes by itself. */
  maxWriteZeroesSectors: Sectors;
  maxSecureEraseSectors: Sectors;
  alignmentOffsetBytes: Bytes;
  isMisaligned: boolean;
  /** Acknowledged writes may be lost until a flush. */
  hasVolatileCache: boolean;
  /** The device itself can make one write durable. */
  hasFua: boolean;
  canNoWait: boolean;
  /** The highest page frame that the device reaches; Infinity: all. */
  bounceFrame: number;
}
