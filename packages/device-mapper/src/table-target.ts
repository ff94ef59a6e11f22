import { BioOp, type Sectors } from "@blkstack/bio";
import type { Target, TargetType } from "@blkstack/block";
import type { TableLine } from "./table-text.ts";

/** Counts of sectors to the last digit, where a `number` is too coarse. */
export interface ExactCounts {
  exactly(sectors: Sectors): bigint;
}

/** What a target may want several copies of. */
const COPIED = [BioOp.Discard, BioOp.WriteZeroes, BioOp.SecureErase] as const;

/** One line of a table with the target that was made of it, ready to be looked up and mapped. */
export class TableTarget {
  readonly line: TableLine;
  readonly type: TargetType;
  readonly target: Target;
  readonly begin: Sectors;
  readonly end: Sectors;
  /** As the line had them. */
  readonly counts: ExactCounts;
  /** Bios are cut at multiples of this, counted from `ioLinesFrom`; 0: nowhere. */
  maxIoSectors: Sectors = 0;
  ioLinesFrom: Sectors = 0;
  flushBios = 0;
  /** Which copies of an empty flush it is sent. */
  flushCopies: readonly number[] = [];
  /** Whether the target wants to see its clones end. */
  hasEndIo = false;

  constructor(line: TableLine, type: TargetType, target: Target, counts: ExactCounts) {
    this.line = line;
    this.type = type;
    this.target = target;
    this.begin = toSectors(line.begin);
    this.end = toSectors(line.begin + line.length);
    this.counts = counts;
    this.refresh();
  }

  /** Takes over what the target says of itself; to be called again when it may have changed. */
  refresh(): void {
    this.maxIoSectors = this.target.maxIoSectors ?? 0;
    this.ioLinesFrom = this.target.ioLinesFrom ?? this.begin;
    this.flushBios = this.target.flushBios ?? 0;
    this.hasEndIo = this.target.endIo !== undefined;
  }

  /** How many of the `wanted` sectors from `sector` on one bio to this target may have. */
  pieceSectors(sector: Sectors, wanted: Sectors): Sectors {
    const left = this.end - sector;
    const upToEnd = wanted < left ? wanted : left;
    return this.maxIoSectors === 0 ? upToEnd : this.#upToLine(sector, upToEnd);
  }

  #upToLine(sector: Sectors, upToEnd: Sectors): Sectors {
    const upToLine = this.maxIoSectors - ((sector - this.ioLinesFrom) % this.maxIoSectors);
    return Math.min(upToEnd, upToLine);
  }

  /** How many clones one bio may need at once, beside the one that its account comes with. */
  get mostClones(): number {
    // An account of a flush has no clone of its own.
    return Math.max(this.flushBios, ...COPIED.map((op) => this.copies(op) - 1));
  }

  /** How many copies of a bio of this operation the target takes; 0: it cannot do it. */
  copies(op: BioOp): number {
    if (op === BioOp.Read || op === BioOp.Write) return 1;
    if (op === BioOp.Discard) return this.target.discardBios ?? 0;
    if (op === BioOp.WriteZeroes) return this.target.writeZeroesBios ?? 0;
    return op === BioOp.SecureErase ? (this.target.secureEraseBios ?? 0) : 0;
  }
}

/** No bio reaches beyond what a `number` counts, so a table that does loses nothing. */
export function toSectors(count: bigint): Sectors {
  return Math.min(Number(count), Number.MAX_SAFE_INTEGER);
}
