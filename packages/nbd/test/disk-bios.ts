import { type Bio, type BioFlags, BioOp, type BioStatus, SECTOR_BYTES } from "@blkstack/bio";
import { ended, planBio, type TasklessDevice } from "@blkstack/block/testing";

/** A bio in two vectors, the first of half a sector, which holds `data`, or room to read into. */
export function makeBio(
  op: BioOp,
  sector: number,
  data: Uint8Array | number,
  flags: BioFlags = 0,
): Bio {
  const holds = typeof data === "number" ? {} : { data };
  const sectors = (typeof data === "number" ? data : data.length) / SECTOR_BYTES;
  return planBio({ op, sector, sectors, flags, cuts: [SECTOR_BYTES / 2], ...holds });
}

export function write(
  disk: TasklessDevice,
  sector: number,
  data: Uint8Array,
  flags: BioFlags = 0,
): Promise<BioStatus> {
  return ended(disk, makeBio(BioOp.Write, sector, data, flags));
}

export function flush(disk: TasklessDevice): Promise<BioStatus> {
  return ended(disk, makeBio(BioOp.Flush, 0, 0));
}
