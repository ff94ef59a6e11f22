import {
  type Bio,
  BioOp,
  type BioFlags,
  isDataless,
  NO_PAGE,
  opName,
  SECTOR_BYTES,
  type Sectors,
} from "@blkstack/bio";
import type { QueueLimits } from "@blkstack/block";
import { RamDisk } from "@blkstack/disk-ram";
import { VolatileCache } from "@blkstack/explorer";
import type { Scheduler } from "@blkstack/task";

/** A bio as it came to a disk. */
export interface LowerBio {
  readonly disk: string;
  readonly op: BioOp;
  readonly flags: BioFlags;
  readonly sector: Sectors;
  readonly sectors: Sectors;
}

export interface SuiteDiskOptions {
  readonly name: string;
  readonly deviceNumber: string;
  readonly content: Uint8Array;
  readonly scheduler: Scheduler;
  readonly limits?: Partial<QueueLimits>;
  /** Whether it keeps account of what a power cut leaves, which takes its time. */
  readonly isCut: boolean;
}

const ALL_SECTORS: Sectors = 1 << 20;

/** A disk that does everything, looks at what comes, can keep it, and knows what a power cut leaves. */
export class SuiteDisk extends RamDisk {
  readonly deviceNumber: string;
  /** What a power cut leaves; knows nothing unless the power is to be cut. */
  readonly cache: VolatileCache;
  /** What came, in order. */
  readonly came: LowerBio[] = [];
  /** What came and should not have, for this is more than the limits say, in words. */
  readonly beyondLimits: string[] = [];
  /** Which bios are kept until `release`. */
  holds: (bio: Bio) => boolean = () => false;
  readonly #held: Bio[] = [];
  readonly #isCut: boolean;
  readonly #scheduler: Scheduler;

  constructor(options: SuiteDiskOptions) {
    const { name, deviceNumber, content, scheduler, limits = {}, isCut } = options;
    const cache = new VolatileCache(name);
    super({
      name,
      sizeSectors: content.length / SECTOR_BYTES,
      scheduler,
      hasVolatileCache: true,
      ...(isCut && { writeCache: cache }),
      limits: {
        hasFua: true,
        maxSecureEraseSectors: ALL_SECTORS,
        maxDiscardSectors: ALL_SECTORS,
        ...limits,
      },
    });
    this.deviceNumber = deviceNumber;
    this.cache = cache;
    this.#isCut = isCut;
    this.#scheduler = scheduler;
    this.poke(0, content);
  }

  get heldCount(): number {
    return this.#held.length;
  }

  /** All of it, as it is. */
  get content(): Uint8Array {
    const bytes = new Uint8Array(this.sizeSectors * SECTOR_BYTES);
    this.peek(0, bytes);
    return bytes;
  }

  /** All of it, as the worst power cut would leave it: nothing has landed that need not have. */
  get durableContent(): Uint8Array {
    const bytes = this.content;
    for (const { sector, versions } of this.cache.capture().loose) {
      const [durable] = versions;
      if (durable !== undefined) bytes.set(durable.bytes, sector * SECTOR_BYTES);
    }
    return bytes;
  }

  override submitBio(bio: Bio): void {
    const { op, flags, sector, sectors } = bio;
    this.came.push({ disk: this.name, op, flags, sector, sectors });
    const complaint = complaintAbout(bio, this.queue.limits, this.sizeSectors);
    if (complaint !== null) this.beyondLimits.push(`${bio.toString()} ${complaint}`);
    if (this.holds(bio)) this.#held.push(bio);
    else this.#serve(bio);
  }

  /** Has the bios go on that were kept, and keeps no more. */
  release(): void {
    this.holds = () => false;
    this.releaseHeld();
  }

  /** Has the bios go on that were kept; those that come are still looked at. */
  releaseHeld(): void {
    for (const bio of this.#held.splice(0)) this.#serve(bio);
  }

  #serve(bio: Bio): void {
    if (bio.op !== BioOp.SecureErase || this.faults !== null) {
      super.submitBio(bio);
      return;
    }
    if (this.#isCut) {
      this.cache.submitted(bio, {
        read: (at, into, from, length) => {
          this.#read(at, into, from, length);
        },
      });
    }
    this.poke(bio.sector, new Uint8Array(bio.sizeBytes));
    this.#scheduler.raise(this, bio);
  }

  #read(offset: number, into: Uint8Array, from: number, length: number): void {
    this.peek(offset / SECTOR_BYTES, into.subarray(from, from + length));
  }
}

/** `WRITE 8+4 of a` */
export function lowerText({ disk, op, sector, sectors }: LowerBio): string {
  return sectors === 0
    ? `a flush of ${disk}`
    : `${opName(op)} ${String(sector)}+${String(sectors)} of ${disk}`;
}

/** Null: the bio is within the limits. */
function complaintAbout(bio: Bio, limits: QueueLimits, sizeSectors: Sectors): string | null {
  if (bio.sizeBytes === 0) return null;
  const { logicalBlockBytes, chunkSectors, maxHwSectors, maxSegments } = limits;
  const blockSectors = logicalBlockBytes / SECTOR_BYTES;
  if (bio.endSector > sizeSectors) return `ends behind the disk, of ${String(sizeSectors)} sectors`;
  if (bio.sector % blockSectors !== 0 || bio.sizeBytes % logicalBlockBytes !== 0) {
    return `is not of whole blocks of ${String(logicalBlockBytes)} bytes`;
  }
  if (isDataless(bio.op)) return null;
  if (bio.sectors > maxHwSectors) return `is of more than ${String(maxHwSectors)} sectors`;
  if (piecesOf(bio) > maxSegments) return `has more than ${String(maxSegments)} pieces of memory`;
  const isOver = chunkSectors > 0 && crosses(bio, chunkSectors);
  return isOver ? `crosses a multiple of ${String(chunkSectors)} sectors` : null;
}

function crosses({ sector, endSector }: Bio, lines: Sectors): boolean {
  return Math.floor(sector / lines) !== Math.floor((endSector - 1) / lines);
}

/** Stretches of memory; what goes on where another ended is one with it. */
function piecesOf(bio: Bio): number {
  let left = bio.sizeBytes + bio.vecDoneBytes;
  let pieces = 0;
  let end = { page: NO_PAGE, at: -1 };
  for (let index = bio.vecIndex; left > 0; index += 1) {
    const vec = bio.vecs[index];
    if (vec === undefined) return pieces;
    if (vec.page !== end.page || vec.offset !== end.at) pieces += 1;
    end = { page: vec.page, at: vec.offset + vec.length };
    left -= vec.length;
  }
  return pieces;
}
