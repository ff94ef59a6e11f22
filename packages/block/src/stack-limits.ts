import { type Bytes, SECTOR_BYTES, type Sectors } from "@blkstack/bio";
import type { QueueLimits } from "./limits.ts";

/** The fields of which the smaller value rules, and 0 says "none". */
const SMALLER_UNLESS_ZERO = [
  "maxSectors",
  "maxHwSectors",
  "maxSegments",
  "maxSegmentBytes",
  "segmentBoundaryMask",
  "bounceFrame",
  "chunkSectors",
  // One lower device that can discard is enough: the driver on top knows which of them it is.
  "maxDiscardSectors",
  "maxSecureEraseSectors",
] as const satisfies readonly (keyof QueueLimits)[];

/** The fields of which the larger value rules. */
const LARGER = [
  "logicalBlockBytes",
  "physicalBlockBytes",
  "ioMinBytes",
  "discardGranularityBytes",
  "dmaAlignmentMask",
] as const satisfies readonly (keyof QueueLimits)[];

/**
 * Narrows `top`, the limits of a stacked device, to what `bottom` can take when the range that is
 * used of it begins at its sector `startSector`. Mutates `top`. Start from `stackingLimits()` and
 * call it once for each range; the order makes no difference to limits that are a minimum or a
 * maximum.
 *
 * Answers 0, or -1 when blocks of the two do not line up: `top.isMisaligned` is set then, and the
 * limits are nevertheless sound. Waits: never.
 */
export function stackLimits(top: QueueLimits, bottom: QueueLimits, startSector: Sectors): 0 | -1 {
  const wasMisaligned = top.isMisaligned;
  top.isMisaligned = false;

  // Judges by the sizes that `top` had so far, hence before they are merged.
  const offsetBytes = alignmentOffsetAt(bottom, startSector);
  if (!linesUp(top, bottom, offsetBytes)) top.isMisaligned = true;

  for (const field of SMALLER_UNLESS_ZERO) top[field] = smaller(top[field], bottom[field]);
  for (const field of LARGER) top[field] = Math.max(top[field], bottom[field]);
  top.maxWriteZeroesSectors = Math.min(top.maxWriteZeroesSectors, bottom.maxWriteZeroesSectors);
  top.ioOptBytes = commonMultiple(top.ioOptBytes, bottom.ioOptBytes);
  stackFeatures(top, bottom);
  stackDiscardAlignment(top, bottom, startSector);
  repairBlockSizes(top);
  stackAlignment(top, offsetBytes);

  const isMisalignedNow = top.isMisaligned;
  top.isMisaligned ||= wasMisaligned || bottom.isMisaligned;
  return isMisalignedNow ? -1 : 0;
}

function stackFeatures(top: QueueLimits, bottom: QueueLimits): void {
  top.isGapless ||= bottom.isGapless;
  top.hasVolatileCache ||= bottom.hasVolatileCache;
  // Where nothing is volatile every write is durable, so such a device takes FUA from nobody.
  top.hasFua &&= bottom.hasFua || !bottom.hasVolatileCache;
  // A bio that must not wait may come to any of the lower devices.
  top.canNoWait &&= bottom.canNoWait;
}

/** Where the first whole block of the used range begins, in bytes from the begin of that range. */
function alignmentOffsetAt(bottom: QueueLimits, startSector: Sectors): Bytes {
  const grain = grainBytes(bottom);
  const startBytes = (startSector * SECTOR_BYTES) % grain;
  return (grain + bottom.alignmentOffsetBytes - startBytes) % grain;
}

function grainBytes(limits: QueueLimits): Bytes {
  return Math.max(limits.physicalBlockBytes, limits.ioMinBytes);
}

function linesUp(top: QueueLimits, bottom: QueueLimits, offsetBytes: Bytes): boolean {
  if (offsetBytes === top.alignmentOffsetBytes) return true;
  const topEnd = grainBytes(top) + top.alignmentOffsetBytes;
  const bottomEnd = grainBytes(bottom) + offsetBytes;
  return Math.max(topEnd, bottomEnd) % Math.min(topEnd, bottomEnd) === 0;
}

/** A size that is not a multiple of the next smaller kind promises what nobody keeps. */
function repairBlockSizes(top: QueueLimits): void {
  if (top.physicalBlockBytes % top.logicalBlockBytes !== 0) {
    top.physicalBlockBytes = top.logicalBlockBytes;
    top.isMisaligned = true;
  }
  if (top.ioMinBytes % top.physicalBlockBytes !== 0) {
    top.ioMinBytes = top.physicalBlockBytes;
    top.isMisaligned = true;
  }
  if (top.ioOptBytes % top.physicalBlockBytes !== 0) {
    top.ioOptBytes = 0;
    top.isMisaligned = true;
  }
}

/** The first offset at which blocks of all lower devices begin together. */
function stackAlignment(top: QueueLimits, offsetBytes: Bytes): void {
  top.alignmentOffsetBytes =
    commonMultiple(top.alignmentOffsetBytes, offsetBytes) % grainBytes(top);
  if (top.alignmentOffsetBytes % top.logicalBlockBytes !== 0) top.isMisaligned = true;
}

function stackDiscardAlignment(top: QueueLimits, bottom: QueueLimits, startSector: Sectors): void {
  const grain = bottom.discardGranularityBytes;
  if (grain === 0) return;
  const startBytes = (startSector * SECTOR_BYTES) % grain;
  const offset = (grain + bottom.discardAlignmentBytes - startBytes) % grain;
  top.discardAlignmentBytes =
    commonMultiple(top.discardAlignmentBytes, offset) % top.discardGranularityBytes;
}

function smaller(a: number, b: number): number {
  if (a === 0) return b;
  return b === 0 ? a : Math.min(a, b);
}

/** The least common multiple; 0 says "none known" and gives way. */
function commonMultiple(a: number, b: number): number {
  if (a === 0 || b === 0) return a + b;
  return (a / commonDivisor(a, b)) * b;
}

function commonDivisor(a: number, b: number): number {
  let [divisor, rest] = [a, b];
  while (rest > 0) [divisor, rest] = [rest, divisor % rest];
  return divisor;
}
