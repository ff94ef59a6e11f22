import { type Bio, type BioOp, BioStatus, type Sectors } from "@blkstack/bio";

/** Decides which bios fail. Asked once for each, when it is submitted. */
export interface Faults {
  /** How `bio` shall end; Ok: it is served. A bio that fails moves no data. */
  statusOf(bio: Bio): BioStatus;
}

/** A range that cannot be read, written, or both. */
export interface SectorFault {
  readonly startSector: Sectors;
  readonly sizeSectors: Sectors;
  readonly status: BioStatus;
  /** The operations that fail; absent: all that touch the range. */
  readonly ops?: readonly BioOp[];
}

/** Fails every bio that touches one of the ranges; the first of several that fit decides. */
export function failSectors(...faults: readonly SectorFault[]): Faults {
  return {
    statusOf(bio) {
      const fault = faults.find(
        ({ startSector, sizeSectors, ops }) =>
          bio.sector < startSector + sizeSectors &&
          bio.endSector > startSector &&
          (ops?.includes(bio.op) ?? true),
      );
      return fault?.status ?? BioStatus.Ok;
    },
  };
}
