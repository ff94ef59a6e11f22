import {
  type Bio,
  BioOp,
  type BioVec,
  type Bytes,
  PAGE_BYTES,
  SECTOR_BYTES,
  type Sectors,
} from "@blkstack/bio";
import type { QueueLimits } from "@blkstack/block";

/**
 * Whether a bio surely keeps to `limits`: a few compares that say yes for nearly every bio. No means
 * that one has to look closer, with `splitSectors`.
 */
export function surelyFits(bio: Bio, limits: QueueLimits): boolean {
  const { sizeBytes } = bio;
  if (sizeBytes === 0) return true;
  if (bio.op !== BioOp.Read && bio.op !== BioOp.Write) return false;
  // A cut is moved down to a physical block, so the last block of the maximum does not count.
  const sizeMaxBytes = maxSectors(limits) * SECTOR_BYTES - limits.physicalBlockBytes + SECTOR_BYTES;
  return (
    sizeBytes <= sizeMaxBytes &&
    limits.chunkSectors === 0 &&
    !limits.isGapless &&
    sizeBytes <= limits.maxSegmentBytes &&
    sizeBytes <= limits.segmentBoundaryMask &&
    // So short a vector crosses at most one boundary.
    2 * (bio.vecs.length - bio.vecIndex) <= limits.maxSegments
  );
}

/**
 * How many sectors of a bio its queue takes at once: `bio.sectors` when it need not be cut, else
 * where to cut. 0 when there is no place to cut at, which no well-built bio brings about.
 */
export function splitSectors(bio: Bio, limits: QueueLimits): Sectors {
  const { op, sectors } = bio;
  if (op === BioOp.Read || op === BioOp.Write) return readWriteSectors(bio, limits);
  if (op === BioOp.Discard) return discardSectors(bio, limits.maxDiscardSectors, limits);
  if (op === BioOp.SecureErase) return discardSectors(bio, limits.maxSecureEraseSectors, limits);
  if (op === BioOp.WriteZeroes) return Math.min(sectors, limits.maxWriteZeroesSectors);
  return sectors;
}

function readWriteSectors(bio: Bio, limits: QueueLimits): Sectors {
  const allowedBytes = allowedSectors(bio.sector, limits) * SECTOR_BYTES;
  const wantedBytes = Math.min(bio.sizeBytes, allowedBytes);
  const bytes = segmentBytes(bio, limits, wantedBytes);
  // Memory ends anywhere, but a piece must not end inside a block.
  return (bytes < wantedBytes ? floorTo(bytes, limits.logicalBlockBytes) : bytes) / SECTOR_BYTES;
}

/** The soft limit, which nothing keeps from being set above the hard one. */
function maxSectors(limits: QueueLimits): Sectors {
  return Math.min(limits.maxSectors, limits.maxHwSectors);
}

/** The most that may begin at `sector`: up to the next line of chunks, ending with a whole block. */
function allowedSectors(sector: Sectors, limits: QueueLimits): Sectors {
  const { chunkSectors } = limits;
  const chunk = chunkSectors === 0 ? Infinity : chunkSectors - (sector % chunkSectors);
  const max = Math.min(maxSectors(limits), chunk);
  const physical = limits.physicalBlockBytes / SECTOR_BYTES;
  const start = sector % physical;
  const end = floorTo(start + max, physical);
  return end > start ? end - start : floorTo(max, limits.logicalBlockBytes / SECTOR_BYTES);
}

/**
 * How many of the first `wantedBytes` of a bio fit into the segments of one request. Vectors that
 * continue each other in one page object make one segment.
 */
function segmentBytes(bio: Bio, limits: QueueLimits, wantedBytes: Bytes): Bytes {
  let taken = 0;
  let segments = 0;
  let segmentLength = 0;
  let previous: BioVec | undefined;
  let doneBytes = bio.vecDoneBytes;
  for (let index = bio.vecIndex; taken < wantedBytes; index += 1) {
    const vec = bio.vecs[index];
    if (vec === undefined) break;
    const continues =
      previous?.page === vec.page && previous.offset + previous.length === vec.offset;
    if (limits.isGapless && !continues && hasGap(previous, vec)) break;
    if (!continues) segmentLength = 0;
    while (doneBytes < vec.length && taken < wantedBytes) {
      const address = vec.page.frame * PAGE_BYTES + vec.offset + doneBytes;
      const room = segmentRoom(address, segmentLength, limits);
      if (room === 0 || segmentLength === 0) {
        if (segments === limits.maxSegments) return taken;
        segments += 1;
        segmentLength = 0;
      }
      const piece = Math.min(
        room === 0 ? segmentRoom(address, 0, limits) : room,
        vec.length - doneBytes,
        wantedBytes - taken,
      );
      taken += piece;
      doneBytes += piece;
      segmentLength += piece;
    }
    previous = vec;
    doneBytes = 0;
  }
  return taken;
}

/** How far a segment of `length` bytes may go on at `address`; 0 when a new one must begin there. */
function segmentRoom(address: Bytes, length: Bytes, limits: QueueLimits): Bytes {
  const boundary = limits.segmentBoundaryMask + 1;
  const untilBoundary = boundary - (address % boundary);
  if (length > 0 && untilBoundary === boundary) return 0;
  return Math.min(limits.maxSegmentBytes - length, untilBoundary);
}

function hasGap(previous: BioVec | undefined, vec: BioVec): boolean {
  if (previous === undefined) return false;
  return (previous.offset + previous.length) % PAGE_BYTES !== 0 || vec.offset % PAGE_BYTES !== 0;
}

/** Pieces after the first begin at a granule, so that each can be discarded whole. */
function discardSectors(bio: Bio, maxSectors: Sectors, limits: QueueLimits): Sectors {
  const { sectors } = bio;
  const granule = Math.max(Math.floor(limits.discardGranularityBytes / SECTOR_BYTES), 1);
  const max = floorTo(maxSectors, granule);
  if (max === 0 || sectors <= max) return sectors;
  const alignment = Math.floor(limits.discardAlignmentBytes / SECTOR_BYTES) % granule;
  const overhang = (bio.sector + max - alignment) % granule;
  return overhang < max ? max - overhang : max;
}

function floorTo(value: number, unit: number): number {
  return value === Infinity ? value : value - (value % unit);
}
