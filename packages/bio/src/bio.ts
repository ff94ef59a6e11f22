import { type BioVec, type Page } from "./bvec.ts";
import { invariant } from "./invariant.ts";
import { BioFlag, type BioFlags, BioOp, isDataless, opName } from "./op.ts";
import { BioStatus } from "./status.ts";
import { BIO_INLINE_VECS, type Bytes, SECTOR_SHIFT, type Sectors } from "./units.ts";

/** What a bio is addressed to. `@blkstack/block` says what such a device can do. */
export interface BioDevice {
  readonly name: string;
}

/** Where a bio goes back to when its last reference is put. A bio without one is left to the heap. */
export interface BioPool {
  readonly label: string;
  /** Takes the bio back; it must not be touched afterwards. */
  release(bio: Bio): void;
}

/** Hears of the end of a bio, in interrupt context: never sleeps, never throws. */
export type EndIo = (bio: Bio) => void;

/** What is true of a bio, as against what it asks for: one bit each, in `bio.state`. */
export const BioState = {
  /** Shares the vectors of another bio, and so may not add to them. */
  Cloned: 0x1,
  Bounced: 0x2,
  Quiet: 0x4,
  /** Waits for chained children: `remaining` counts. */
  Chain: 0x8,
  /** Was referenced by `get`: `references` counts. */
  Referenced: 0x10,
  Throttled: 0x20,
  Remapped: 0x40,
  /** Is on a `BioList`. */
  Listed: 0x80,
} as const;

// Exported, a constant is looked up each time; these are part of the machine code.
const REFERENCED = BioState.Referenced;
const LISTED = BioState.Listed;
const READ = BioOp.Read;
const OK = BioStatus.Ok;

const NO_VECS: BioVec[] = [];
const SIZE_MAX_BYTES = 0xffff_ffff;

/**
 * One contiguous range of a device and the memory that it moves to or from.
 *
 * The table of vectors is immutable once the bio is submitted; where the bio stands in it is the
 * iterator: `sector`, `sizeBytes`, `vecIndex`, `vecDoneBytes`. So clones share the table and cost
 * nothing to cut.
 */
export class Bio {
  /** The next bio of the one list that holds this one; owned by `BioList`. */
  next: Bio | null = null;
  device: BioDevice | null = null;
  /** 0 is the whole device. */
  partition = 0;
  op: BioOp = BioOp.Read;
  flags: BioFlags = 0;
  state = 0;
  status: BioStatus = BioStatus.Ok;

  /** Where on the device the rest of this bio begins. */
  sector: Sectors = 0;
  /** Bytes left, below 4 GiB; the only criterion of the bio's end. */
  sizeBytes: Bytes = 0;
  /** The vector that the rest begins in; the number of vectors when nothing is left. */
  vecIndex = 0;
  /** Bytes of that vector which are done; less than its length while any bytes are left. */
  vecDoneBytes: Bytes = 0;

  vecs: BioVec[] = NO_VECS;
  /** Vectors filled; only the owner of the table may believe it. */
  vecCount = 0;
  /** How many vectors the table has room for; 0 for a clone. */
  vecMax = 0;

  endIo: EndIo | null = null;
  /** For whoever set `endIo`. */
  private: unknown = null;
  /** The bio that cannot end before this one does; for the wait-for graph. */
  parent: Bio | null = null;
  /** Itself and its chained children that have not ended; counts only in state `Chain`. */
  remaining = 1;
  /** Counts only in state `Referenced`. */
  references = 1;

  /** Where this bio came from; null is the heap. */
  readonly pool: BioPool | null;
  /** Data of the driver that allocates from `pool`; made with the bio, kept over its reuse, never zeroed. */
  readonly pad: unknown;
  /** The how-manyth bio of its pool this is: a name for people. */
  serial = 0;
  /** Room for a few vectors that comes with the bio. */
  readonly inlineVecs: BioVec[];

  constructor(pool: BioPool | null = null, pad: unknown = null, inlineVecs: BioVec[] = NO_VECS) {
    invariant(inlineVecs.length <= BIO_INLINE_VECS, "more inline vectors than a bio has room for");
    this.pool = pool;
    this.pad = pad;
    this.inlineVecs = inlineVecs;
  }

  /** Whole sectors left. */
  get sectors(): Sectors {
    return this.sizeBytes >>> SECTOR_SHIFT;
  }

  get endSector(): Sectors {
    return this.sector + (this.sizeBytes >>> SECTOR_SHIFT);
  }

  /** Whether memory is moved: not for an empty flush, nor for DISCARD and its like. */
  get hasData(): boolean {
    return this.sizeBytes > 0 && !isDataless(this.op);
  }

  get isFlush(): boolean {
    return (this.flags & (BioFlag.Preflush | BioFlag.Fua)) !== 0;
  }

  get isSync(): boolean {
    return (
      this.op === BioOp.Read || (this.flags & (BioFlag.Sync | BioFlag.Fua | BioFlag.Preflush)) !== 0
    );
  }

  /** Where to read or write next: the current vector, or undefined at the end. */
  get currentVec(): BioVec | undefined {
    return this.vecs[this.vecIndex];
  }

  /** Bytes that the current vector still has for this bio. */
  get currentBytes(): Bytes {
    const vec = this.vecs[this.vecIndex];
    if (vec === undefined) return 0;
    return Math.min(this.sizeBytes, vec.length - this.vecDoneBytes);
  }

  /**
   * Moves the iterator `bytes` forward. Going beyond the end empties the bio and answers false:
   * a defect of the caller that must not become a negative size.
   */
  advance(bytes: Bytes): boolean {
    if (bytes > this.sizeBytes) {
      this.sizeBytes = 0;
      return false;
    }
    this.sector += bytes >>> SECTOR_SHIFT;
    this.sizeBytes -= bytes;
    if (isDataless(this.op)) return true;
    let left = bytes;
    while (left > 0) {
      const vec = this.vecs[this.vecIndex];
      invariant(vec !== undefined, "a bio is longer than its vectors");
      const taken = Math.min(left, vec.length - this.vecDoneBytes);
      left -= taken;
      this.vecDoneBytes += taken;
      if (this.vecDoneBytes === vec.length) {
        this.vecIndex += 1;
        this.vecDoneBytes = 0;
      }
    }
    return true;
  }

  /**
   * Adds memory at the end: grows the last vector when it continues it, else takes a new one.
   * All or nothing: answers `length`, or 0 when the table is full, shared, or the size would not fit.
   */
  addPage(page: Page, length: Bytes, offset: Bytes): Bytes {
    if ((this.state & BioState.Cloned) !== 0 || length <= 0) return 0;
    if (this.sizeBytes + length > SIZE_MAX_BYTES) return 0;
    const last = this.vecCount > 0 ? this.vecs[this.vecCount - 1] : undefined;
    if (last?.page === page && last.offset + last.length === offset) {
      last.length += length;
    } else {
      const vec = this.vecCount < this.vecMax ? this.vecs[this.vecCount] : undefined;
      if (vec === undefined) return 0;
      vec.page = page;
      vec.offset = offset;
      vec.length = length;
      this.vecCount += 1;
    }
    this.sizeBytes += length;
    return length;
  }

  /** Takes another reference: the bio lives until as many `put`s. */
  get(): void {
    this.state |= BioState.Referenced;
    this.references += 1;
  }

  /** Gives a reference back; the last one returns the bio to its pool. */
  put(): void {
    if ((this.state & REFERENCED) === 0 || isLastReference(this)) this.pool?.release(this);
  }

  /** Back to freshly allocated, except for what belongs to its memory: table, room, references, pool. */
  reset(): void {
    if ((this.state & LISTED) !== 0) invariant(false, "a bio was reset while it was on a list");
    this.next = null;
    this.device = null;
    this.partition = 0;
    this.op = READ;
    this.flags = 0;
    this.state &= REFERENCED;
    this.status = OK;
    this.sector = 0;
    this.sizeBytes = 0;
    this.vecIndex = 0;
    this.vecDoneBytes = 0;
    this.vecCount = 0;
    this.endIo = null;
    this.private = null;
    this.parent = null;
    this.remaining = 1;
  }

  /** `WRITE md0 [8..16)`, in sectors. */
  toString(): string {
    const range = `[${String(this.sector)}..${String(this.endSector)})`;
    return `${opName(this.op)} ${this.device?.name ?? "nowhere"} ${range}`;
  }
}

/** Takes one reference off; answers whether it was the last. */
function isLastReference(bio: Bio): boolean {
  bio.references -= 1;
  invariant(bio.references >= 0, "bio put more often than got");
  return bio.references === 0;
}

/**
 * Whether a value is a bio and not, say, the promise of one. Asks for a field: `instanceof` walks
 * the prototypes, which on the hot path costs more than the rest of an allocation.
 */
export function isBio(value: object): value is Bio {
  return (value as Partial<Bio>).vecMax !== undefined;
}
