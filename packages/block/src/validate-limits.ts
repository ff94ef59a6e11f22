import { PAGE_BYTES, SECTOR_BYTES } from "@blkstack/bio";
import { BlockError } from "./errors.ts";
import type { QueueLimits } from "./limits.ts";

const LOGICAL_BLOCK_BYTES_MAX = 65_536;

/**
 * Refuses limits under which some bio could neither be sent nor be cut until it can.
 *
 * Waits: never. Throws `BlockError` `BLK_LIMITS`, whose message names `deviceName` and the limit.
 */
export function validateLimits(limits: QueueLimits, deviceName: string): void {
  const refuse = (what: string): never => {
    throw new BlockError("BLK_LIMITS", "EINVAL", `limits of ${deviceName}: ${what}`);
  };
  const { logicalBlockBytes, physicalBlockBytes, chunkSectors } = limits;
  const isBlockSize =
    isPowerOfTwo(logicalBlockBytes) &&
    logicalBlockBytes >= SECTOR_BYTES &&
    logicalBlockBytes <= LOGICAL_BLOCK_BYTES_MAX;
  if (!isBlockSize) {
    refuse(`logicalBlockBytes ${String(logicalBlockBytes)} is no power of two of 512..65536`);
  }
  if (!isPowerOfTwo(physicalBlockBytes) || physicalBlockBytes < logicalBlockBytes) {
    refuse(
      `physicalBlockBytes ${String(physicalBlockBytes)} is no power of two ` +
        `of at least logicalBlockBytes ${String(logicalBlockBytes)}`,
    );
  }
  const pageSectors = PAGE_BYTES / SECTOR_BYTES;
  if (!(limits.maxHwSectors >= pageSectors)) {
    refuse(`maxHwSectors ${String(limits.maxHwSectors)} is less than a page of 8 sectors`);
  }
  const blockSectors = logicalBlockBytes / SECTOR_BYTES;
  if (!(limits.maxSectors >= blockSectors)) {
    refuse(`maxSectors ${String(limits.maxSectors)} is less than a logical block`);
  }
  if (!(limits.maxSegments >= 1)) {
    refuse(`maxSegments ${String(limits.maxSegments)} is less than 1`);
  }
  if (chunkSectors !== 0 && (!isPowerOfTwo(chunkSectors) || chunkSectors < blockSectors)) {
    refuse(
      `chunkSectors ${String(chunkSectors)} is neither 0 nor a power of two ` +
        "of at least a logical block",
    );
  }
}

/** By division, not by bits: sectors may need more than 32 of those. */
function isPowerOfTwo(value: number): boolean {
  return value >= 1 && Number.isInteger(Math.log2(value));
}
