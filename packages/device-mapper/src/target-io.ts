import { type Bio, BioFlag, BioOp, invariant, SECTOR_BYTES, type Sectors } from "@blkstack/bio";
import type { DmIo } from "./dm-io.ts";
import type { TableTarget } from "./table-target.ts";

const NO_DATA: readonly object[] = [];

/**
 * What goes along with a clone, made together with it and never separately: so whoever has the
 * clone cannot be left waiting for this.
 */
export class TargetIo {
  /** The account that this clone's bio brings along; null: it works for the account of another. */
  readonly ownIo: DmIo | null;
  /** Per-bio data of the table's targets, by `dataIndex`. */
  readonly perBioData: readonly object[];
  io: DmIo | null = null;
  target: TableTarget | null = null;
  /** Which of several clones for the same piece. */
  copyIndex = 0;
  /** The piece, as sectors of the mapped device; an accepted part makes it shorter. */
  sector: Sectors = 0;
  sectors: Sectors = 0;
  hasSiblings = false;

  constructor(ownIo: DmIo | null, perBioData: readonly object[] = NO_DATA) {
    this.ownIo = ownIo;
    this.perBioData = perBioData;
  }

  data(index: number): object {
    const data = this.perBioData[index];
    invariant(data !== undefined, "this type of target declared no per-bio data");
    return data;
  }

  /** Keeps the first `sectors` of the clone; whoever cut it sees the rest as not yet done. */
  acceptPartial(clone: Bio, sectors: Sectors): void {
    const { io } = this;
    invariant(io?.isMapping === true, "a part can be accepted inside map only");
    invariant(!this.hasSiblings, "a bio with duplicates cannot be accepted in part");
    invariant((clone.flags & BioFlag.Preflush) === 0, "a flush cannot be accepted in part");
    invariant(clone.op < BioOp.ZoneOpen, "a zone operation cannot be accepted in part");
    const isPart = sectors > 0 && sectors <= clone.sectors;
    invariant(isPart, `cannot accept ${String(sectors)} of ${String(clone.sectors)} sectors`);
    this.sectors -= clone.sectors - sectors;
    io.pieceSectors = this.sectors;
    clone.sizeBytes = sectors * SECTOR_BYTES;
  }
}

/** What goes along with a clone that a mapped device made. */
export function targetIoOf(clone: Bio): TargetIo {
  return clone.pad as TargetIo;
}

/** The account that the first clone for a bio brings along. */
export function accountOf(clone: Bio): DmIo {
  const { ownIo } = targetIoOf(clone);
  if (ownIo === null) invariant(false, "a first clone without an account");
  return ownIo;
}
