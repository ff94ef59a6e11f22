import { type Bio, BioState } from "./bio.ts";
import { invariant } from "./invariant.ts";
import { BioOp } from "./op.ts";
import { SECTOR_BYTES, type Sectors } from "./units.ts";

// A constant of this module is one of the machine code; what is imported is looked up each time.
const CLONED = BioState.Cloned;
/** What of a bio's state describes its addressing and so goes along with a clone. */
const INHERITED_STATE = BioState.Throttled | BioState.Remapped | BioState.Bounced;

/**
 * Makes `clone` a second view of what is left of `source`: same operation, same range, same
 * vectors, shared. The clone has no `endIo` and must not outlive the source's table.
 */
export function cloneBio(source: Bio, clone: Bio): void {
  clone.device = source.device;
  clone.partition = source.partition;
  clone.op = source.op;
  clone.flags = source.flags;
  clone.state |= CLONED | (source.state & INHERITED_STATE);
  clone.sector = source.sector;
  clone.sizeBytes = source.sizeBytes;
  clone.vecIndex = source.vecIndex;
  clone.vecDoneBytes = source.vecDoneBytes;
  clone.vecs = source.vecs;
  clone.vecMax = 0;
}

/** Checks that the first `sectors` of `bio` can be cut off, before anything is allocated for it. */
export function assertSplittable(bio: Bio, sectors: Sectors): void {
  invariant(sectors > 0, `split of ${String(sectors)} sectors`);
  invariant(
    sectors < bio.sectors,
    `split of ${String(sectors)} sectors from a bio of ${String(bio.sectors)}`,
  );
  invariant(bio.op !== BioOp.ZoneAppend, "a zone append cannot be split");
}

/**
 * Cuts the first `sectors` off `bio` into `front`, a fresh bio; `bio` becomes the rest. Both
 * keep the flags: a preflush must precede the data of either.
 *
 * The two are not chained: the caller says who waits for whom.
 */
export function splitBio(bio: Bio, sectors: Sectors, front: Bio): void {
  assertSplittable(bio, sectors);
  cloneBio(bio, front);
  front.sizeBytes = sectors * SECTOR_BYTES;
  bio.advance(front.sizeBytes);
}
