import {
  type Bio,
  bioEndio,
  BioFlag,
  BioOp,
  BioStatus,
  bioViews,
  opName,
  SECTOR_BYTES,
} from "@blkstack/bio";
import { type BlockDevice, type QueueLimits, RequestQueue, stackingLimits } from "@blkstack/block";
import { type Access, AccessMode, type InterruptSource, type Scheduler } from "@blkstack/task";

/**
 * A disk that moves data when a bio ends, not when it comes: which of two that are under way is the
 * later one is decided by who ends first.
 */
export class LateDisk implements BlockDevice, InterruptSource<Bio> {
  readonly name: string;
  readonly label: string;
  readonly sizeSectors: number;
  readonly isReadOnly = false;
  readonly queue: RequestQueue;
  readonly bytes: Uint8Array;
  /** What came, in order: `WRITE 8+8`, `FLUSH`, `WRITE 0+8 FUA`. */
  readonly log: string[] = [];
  /** Which bios fail. */
  fails: (bio: Bio) => boolean = () => false;
  readonly #scheduler: Scheduler;
  readonly #use: Access;

  constructor(
    name: string,
    sizeSectors: number,
    scheduler: Scheduler,
    limits: Partial<QueueLimits> = {},
  ) {
    this.name = name;
    this.label = `disk ${name}`;
    this.sizeSectors = sizeSectors;
    this.bytes = new Uint8Array(sizeSectors * SECTOR_BYTES);
    this.#scheduler = scheduler;
    this.#use = { object: this, mode: AccessMode.Write, label: `use ${name}` };
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
    this.#scheduler.touch(this.#use);
    this.#scheduler.raise(this, bio);
  }

  /** Interrupt context. */
  handleInterrupt(bio: Bio): void {
    this.#scheduler.touch(this.#use);
    if (this.fails(bio)) bio.status = BioStatus.IoError;
    else if (bio.sizeBytes > 0) this.#move(bio);
    bioEndio(bio);
  }

  blockers(): readonly object[] {
    return [];
  }

  /** The first byte of a sector: what it was filled with. */
  at(sector: number): number {
    return this.bytes[sector * SECTOR_BYTES] ?? -1;
  }

  #move(bio: Bio): void {
    let at = bio.sector * SECTOR_BYTES;
    if (bio.op !== BioOp.Read && bio.op !== BioOp.Write) {
      this.bytes.fill(0, at, at + bio.sizeBytes);
      return;
    }
    for (const memory of bioViews(bio)) {
      if (bio.op === BioOp.Write) this.bytes.set(memory, at);
      else memory.set(this.bytes.subarray(at, at + memory.length));
      at += memory.length;
    }
  }
}

function describe(bio: Bio): string {
  if (bio.sizeBytes === 0) return "FLUSH";
  const isFua = (bio.flags & BioFlag.Fua) !== 0;
  return `${opName(bio.op)} ${String(bio.sector)}+${String(bio.sectors)}${isFua ? " FUA" : ""}`;
}
