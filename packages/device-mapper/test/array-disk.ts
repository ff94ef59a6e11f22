import { type Bio, bioEndio, BioFlag, BioOp, BioStatus, opName, SECTOR_BYTES } from "@blkstack/bio";
import { type BlockDevice, type QueueLimits, RequestQueue, stackingLimits } from "@blkstack/block";

export interface ArrayDiskOptions {
  readonly limits?: Partial<QueueLimits>;
  readonly deviceNumber?: string;
}

/** A disk that is an array. It ends bios at once, or when the test says so. */
export class ArrayDisk implements BlockDevice {
  readonly name: string;
  readonly deviceNumber: string;
  readonly sizeSectors: number;
  readonly isReadOnly = false;
  readonly queue: RequestQueue;
  readonly bytes: Uint8Array;
  /** What came, in order: `WRITE 4+4`, `flush`. */
  readonly log: string[] = [];
  /** Bios kept while `isHolding`. */
  readonly held: Bio[] = [];
  isHolding = false;
  readonly badSectors = new Set<number>();

  constructor(name: string, sizeSectors: number, options: ArrayDiskOptions = {}) {
    this.name = name;
    this.deviceNumber = options.deviceNumber ?? "7:0";
    this.sizeSectors = sizeSectors;
    this.bytes = new Uint8Array(sizeSectors * SECTOR_BYTES);
    this.queue = new RequestQueue(name, {
      ...stackingLimits(),
      hasVolatileCache: true,
      maxDiscardSectors: 0xffff,
      discardGranularityBytes: SECTOR_BYTES,
      ...options.limits,
    });
  }

  submitBio(bio: Bio): void {
    const isEmptyFlush = (bio.flags & BioFlag.Preflush) !== 0 && bio.sizeBytes === 0;
    const range = `${String(bio.sector)}+${String(bio.sectors)}`;
    this.log.push(isEmptyFlush ? "flush" : `${opName(bio.op)} ${range}`);
    if (this.isHolding) this.held.push(bio);
    else this.end(bio);
  }

  /** Ends the held bio that came first. */
  endOne(): void {
    const bio = this.held.shift();
    if (bio !== undefined) this.end(bio);
  }

  endAll(): void {
    this.isHolding = false;
    while (this.held.length > 0) this.endOne();
  }

  end(bio: Bio): void {
    for (let sector = bio.sector; sector < bio.endSector; sector += 1) {
      if (this.badSectors.has(sector)) bio.status = BioStatus.IoError;
    }
    if (bio.status === BioStatus.Ok) this.#move(bio);
    bioEndio(bio);
  }

  #move(bio: Bio): void {
    if (bio.op === BioOp.Discard || bio.op === BioOp.WriteZeroes) {
      this.bytes.fill(0, bio.sector * SECTOR_BYTES, bio.endSector * SECTOR_BYTES);
      return;
    }
    while (bio.sizeBytes > 0) {
      const { currentVec: vec, currentBytes, vecDoneBytes, sector } = bio;
      if (vec === undefined) return;
      const memory = vec.page.bytes.subarray(vec.offset + vecDoneBytes).subarray(0, currentBytes);
      const at = sector * SECTOR_BYTES;
      if (bio.op === BioOp.Write) this.bytes.set(memory, at);
      else memory.set(this.bytes.subarray(at, at + currentBytes));
      bio.advance(currentBytes);
    }
  }
}
