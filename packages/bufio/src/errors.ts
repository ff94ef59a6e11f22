import { type Bytes, SECTOR_BYTES } from "@blkstack/bio";
import { type BlockDevice, BlockError } from "@blkstack/block";

/** Throws a `BlockError` (EINVAL) for a size of blocks that the device cannot be read in. */
export function checkBlockBytes(label: string, blockBytes: Bytes, device: BlockDevice): void {
  const { logicalBlockBytes } = device.queue.limits;
  if (Number.isSafeInteger(blockBytes) && blockBytes >= SECTOR_BYTES) {
    if (blockBytes % Math.max(SECTOR_BYTES, logicalBlockBytes) === 0) return;
  }
  const wanted = `a multiple of ${String(Math.max(SECTOR_BYTES, logicalBlockBytes))}`;
  const message = `${label}: blocks of ${String(blockBytes)} bytes; give ${wanted}`;
  throw new BlockError("BLK_STATE", "EINVAL", message);
}
