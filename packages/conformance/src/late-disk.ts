import {
  type Bio,
  bioEndio,
  BioFlag,
  BioOp,
  BioStatus,
  bioViews,
  opName,
  SECTOR_BYTES,
  type Sectors,
} from "@blkstack/bio";
import { type BlockDevice, type QueueLimits, RequestQueue, stackingLimits } from "@blkstack/block";
import { type Access, AccessMode, type InterruptSource, type Scheduler } from "@blkstack/task";

/** To the explorer bios within the same so many sectors meet, others do not. */
const PLACE_SECTORS = 8;

export interface LateDiskOptions {
  readonly name: string;
  /** What tables of a running device call it: `7:0`. Unless told, its name. */
  readonly deviceNumber?: string;
  readonly sizeSectors: Sectors;
  readonly scheduler: Scheduler;
  /** What differs from a disk with a cache, FUA, discards and zeroes. */
  readonly limits?: Partial<QueueLimits>;
}

/**
 * A disk that moves data when a bio ends, not when it comes, as real ones may: of two bios that are
 * under way together the later one is who ends last.
 */
export class LateDisk implements BlockDevice, InterruptSource<Bio> {
  readonly name: string;
  readonly label: string;
  readonly deviceNumber?: string;
  readonly isReadOnly = false;
  readonly queue: RequestQueue;
  /** What came, in order: `WRITE 4+4`, `FLUSH`, `FLUSH WRITE 8+8 FUA`. */
  readonly log: string[] = [];
  /** Bios that are kept from ending. */
  readonly held: Bio[] = [];
  /** Which bios are kept, until `release`. */
  holds: (bio: Bio) => boolean = () => false;
  /** Which bios fail. */
  fails: (bio: Bio) => boolean = () => false;
  sizeSectors: Sectors;
  /** All that it holds. */
  bytes: Uint8Array;
  readonly #scheduler: Scheduler;
  readonly #reads = new Map<number, Access>();
  readonly #writes = new Map<number, Access>();

  constructor({ name, deviceNumber, sizeSectors, scheduler, limits = {} }: LateDiskOptions) {
    this.name = name;
    this.label = `disk ${name}`;
    if (deviceNumber !== undefined) this.deviceNumber = deviceNumber;
    this.sizeSectors = sizeSectors;
    this.bytes = new Uint8Array(sizeSectors * SECTOR_BYTES);
    this.#scheduler = scheduler;
    this.queue = new RequestQueue(name, {
      ...stackingLimits(),
      hasVolatileCache: true,
      hasFua: true,
      maxDiscardSectors: 0xffff,
      maxWriteZeroesSectors: 0xffff,
      discardGranularityBytes: SECTOR_BYTES,
      ...limits,
    });
  }

  submitBio(bio: Bio): void {
    this.log.push(describe(bio));
    this.#touch(bio);
    if (this.holds(bio)) this.held.push(bio);
    else this.#scheduler.raise(this, bio);
  }

  /** Interrupt context. */
  handleInterrupt(bio: Bio): void {
    this.#touch(bio);
    const isOutside = bio.sizeBytes > 0 && bio.endSector > this.sizeSectors;
    if (isOutside || this.fails(bio)) bio.status = BioStatus.IoError;
    else if (bio.sizeBytes > 0) this.#move(bio);
    bioEndio(bio);
  }

  blockers(): readonly object[] {
    return [];
  }

  /** Has the bios end that were kept, and keeps no more. */
  release(): void {
    this.holds = () => false;
    for (const bio of this.held.splice(0)) this.#scheduler.raise(this, bio);
  }

  /** Grows with zeroes, or forgets its end. */
  resize(sizeSectors: Sectors): void {
    const bytes = new Uint8Array(sizeSectors * SECTOR_BYTES);
    bytes.set(this.bytes.subarray(0, bytes.length));
    this.bytes = bytes;
    this.sizeSectors = sizeSectors;
  }

  /** The first byte of a sector: what it was filled with. */
  at(sector: Sectors): number {
    return this.bytes[sector * SECTOR_BYTES] ?? -1;
  }

  #touch(bio: Bio): void {
    if (!this.#scheduler.isExploring || bio.sizeBytes === 0) return;
    const [accesses, mode] =
      bio.op === BioOp.Read ? [this.#reads, AccessMode.Read] : [this.#writes, AccessMode.Write];
    const first = Math.floor(bio.sector / PLACE_SECTORS);
    for (let place = first; place * PLACE_SECTORS < bio.endSector; place += 1) {
      this.#scheduler.touch(this.#access(accesses, mode, place));
    }
  }

  #access(accesses: Map<number, Access>, mode: AccessMode, place: number): Access {
    const known = accesses.get(place);
    if (known !== undefined) return known;
    const other = this.#reads.get(place) ?? this.#writes.get(place);
    const label = `place ${String(place)} of ${this.name}`;
    const access = { object: other?.object ?? { label }, mode, label: `use ${label}` };
    accesses.set(place, access);
    return access;
  }

  #move(bio: Bio): void {
    const start = bio.sector * SECTOR_BYTES;
    if (bio.op !== BioOp.Read && bio.op !== BioOp.Write) {
      this.bytes.fill(0, start, start + bio.sizeBytes);
      return;
    }
    let at = start;
    for (const memory of bioViews(bio)) {
      if (bio.op === BioOp.Write) this.bytes.set(memory, at);
      else memory.set(this.bytes.subarray(at, at + memory.length));
      at += memory.length;
    }
  }
}

function describe(bio: Bio): string {
  const isFlush = (bio.flags & BioFlag.Preflush) !== 0;
  if (isFlush && bio.sizeBytes === 0) return "FLUSH";
  const range = `${opName(bio.op)} ${String(bio.sector)}+${String(bio.sectors)}`;
  return `${isFlush ? "FLUSH " : ""}${range}${(bio.flags & BioFlag.Fua) === 0 ? "" : " FUA"}`;
}
