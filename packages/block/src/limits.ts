import type { Bytes, Sectors } from "@blkstack/bio";

/**
 * What a device can take in one bio. 0 means "no limit" or "none" where it says so, and Infinity
 * is a limit that nothing reaches.
 *
 * The way down cuts a bio that asks for more (`@blkstack/make-request`), so that a driver never
 * sees one: it may rely on every limit here. Start from `defaultLimits()` for a disk, and from
 * `stackingLimits()` with one `stackLimits()` for each lower range for a stacked device.
 */
export interface QueueLimits {
  /** The smallest unit that can be addressed; a power of two from 512 to 65536. */
  logicalBlockBytes: Bytes;
  /** The smallest unit that is written without reading around it; a power of two. */
  physicalBlockBytes: Bytes;
  /** The smallest request that performs well: a RAID's stripe unit. */
  ioMinBytes: Bytes;
  /** The request that performs best: a RAID's whole stripe. 0: none known. */
  ioOptBytes: Bytes;
  /** The most to ask for in one read or write. A soft limit, below the next one. */
  maxSectors: Sectors;
  /** The most that the device can do in one read or write; at least a page. */
  maxHwSectors: Sectors;
  /** How many stretches of contiguous memory one bio may have; at least 1. */
  maxSegments: number;
  /** How long one of them may be. */
  maxSegmentBytes: Bytes;
  /** A segment must not cross a multiple of this plus one. */
  segmentBoundaryMask: number;
  /** Memory must begin at multiples of this plus one. Advice to whoever builds bios, not checked. */
  dmaAlignmentMask: number;
  /** No two vectors with a gap between them in one bio: only its ends may lie inside a page. */
  isGapless: boolean;
  /** A bio must not cross a multiple of this; a power of two; 0: no such lines. */
  chunkSectors: Sectors;
  /** The most to discard in one bio. 0: the device cannot discard. */
  maxDiscardSectors: Sectors;
  /** Pieces of a discard should begin at multiples of this, counted from the alignment. 0: any. */
  discardGranularityBytes: Bytes;
  /** Where the first discard granule begins. */
  discardAlignmentBytes: Bytes;
  /** The most to zero in one bio. 0: the device cannot write zeroes by itself. */
  maxWriteZeroesSectors: Sectors;
  /** The most to erase in one bio. 0: the device cannot erase securely. */
  maxSecureEraseSectors: Sectors;
  /** Where the first physical block begins. */
  alignmentOffsetBytes: Bytes;
  /** Blocks of the lower devices do not line up: it works, slowly. */
  isMisaligned: boolean;
  /**
   * Acknowledged writes may be lost until a flush. Only then does a driver see PREFLUSH and FUA:
   * without a volatile cache both are taken off on the way down, and an empty flush is done.
   */
  hasVolatileCache: boolean;
  /**
   * The device itself can make one write durable. A driver that is told of a volatile cache and
   * cannot must flush behind a FUA write before it ends it: nobody does so for it.
   */
  hasFua: boolean;
  /** A NOWAIT bio will not make the driver wait; without this such bios are refused at the gate. */
  canNoWait: boolean;
  /** The highest page frame that the device reaches; Infinity: all. */
  bounceFrame: number;
}
