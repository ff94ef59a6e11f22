import { type Bio, BioOp, BioStatus, isWriteOp } from "@blkstack/bio";
import type { BlockDevice } from "@blkstack/block";

/** What a bio ends with that a disk cannot do; `Ok`: it can. */
export function refusalOf(bio: Bio, { sizeSectors, isReadOnly, queue }: BlockDevice): BioStatus {
  if (bio.sizeBytes === 0) return BioStatus.Ok;
  if (bio.endSector > sizeSectors) return BioStatus.IoError;
  if (bio.op === BioOp.Read) return BioStatus.Ok;
  if (isReadOnly && isWriteOp(bio.op)) return BioStatus.ReadOnly;
  const { maxDiscardSectors, maxWriteZeroesSectors } = queue.limits;
  const isKnown =
    bio.op === BioOp.Write ||
    (bio.op === BioOp.Discard && maxDiscardSectors > 0) ||
    (bio.op === BioOp.WriteZeroes && maxWriteZeroesSectors > 0);
  return isKnown ? BioStatus.Ok : BioStatus.NotSupported;
}
