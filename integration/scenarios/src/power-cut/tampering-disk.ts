import { type Bio, BioFlag, BioOp } from "@blkstack/bio";
import { RamDisk, type RamDiskOptions } from "@blkstack/disk-ram";

/** Where a header says whether the snapshot is valid. */
const VALID_AT = 4;

/** What a disk makes of a bio before it serves it; false: nothing at all, and says it is done. */
export type Tamper = (bio: Bio) => boolean;

/** A disk that makes a store's mistakes for it: what the store asks for never gets there. */
export class TamperingDisk extends RamDisk {
  readonly #tamper: Tamper;
  readonly #options: RamDiskOptions;

  constructor(options: RamDiskOptions, tamper: Tamper) {
    super(options);
    this.#options = options;
    this.#tamper = tamper;
  }

  override submitBio(bio: Bio): void {
    if (this.#tamper(bio)) super.submitBio(bio);
    else this.#options.scheduler.raise(this, bio);
  }
}

function isWriteAt(bio: Bio, sector: number): boolean {
  return bio.op === BioOp.Write && bio.sizeBytes > 0 && bio.sector === sector;
}

/** Entries are written without a flush of what they name. */
export function withoutPreflush(areaSector: number): Tamper {
  return (bio) => {
    if (isWriteAt(bio, areaSector)) bio.flags &= ~BioFlag.Preflush;
    return true;
  };
}

/** The header neither waits for what was written before it, nor is it there when it is done. */
export const hurriedHeader: Tamper = (bio) => {
  if (isWriteAt(bio, 0)) bio.flags &= ~(BioFlag.Preflush | BioFlag.Fua);
  return true;
};

/** The mark that a snapshot is invalid is not there yet when it is done. */
export const hurriedMark: Tamper = (bio) => {
  const { page, offset } = bio.currentVec ?? { page: null, offset: 0 };
  const isValid = page?.bytes[offset + VALID_AT] !== 0;
  if (isWriteAt(bio, 0) && !isValid) bio.flags &= ~BioFlag.Fua;
  return true;
};

/** An area is begun without being cleared. */
export function withoutClearing(areaSector: number): Tamper {
  return (bio) => {
    if (!isWriteAt(bio, areaSector)) return true;
    const { page, offset } = bio.currentVec ?? { page: null, offset: 0 };
    return page?.bytes.subarray(offset, offset + bio.sizeBytes).some((byte) => byte !== 0) ?? true;
  };
}
