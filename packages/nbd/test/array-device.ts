import { type Bio, BioOp, BioStatus, bioEndio, bioError, SECTOR_BYTES } from "@blkstack/bio";
import { type BlockDevice, type QueueLimits, RequestQueue, type Submitter } from "@blkstack/block";
import type { Awaitable, Task } from "@blkstack/task";

const PLAIN_LIMITS: QueueLimits = {
  logicalBlockBytes: 512,
  physicalBlockBytes: 512,
  ioMinBytes: 512,
  ioOptBytes: 0,
  maxSectors: 65_536,
  maxHwSectors: 65_536,
  maxSegments: 256,
  maxSegmentBytes: 0x4000_0000,
  segmentBoundaryMask: 0xffff_ffff,
  dmaAlignmentMask: 0,
  isGapless: false,
  chunkSectors: 0,
  maxDiscardSectors: 8_388_600,
  discardGranularityBytes: 512,
  discardAlignmentBytes: 0,
  maxWriteZeroesSectors: 8_388_600,
  maxSecureEraseSectors: 0,
  alignmentOffsetBytes: 0,
  isMisaligned: false,
  hasVolatileCache: true,
  hasFua: true,
  canNoWait: false,
  bounceFrame: Number.POSITIVE_INFINITY,
};

/** Straight to the device. */
export const straight: Submitter = {
  submitBio(bio, task) {
    return (bio.device as BlockDevice).submitBio(bio, task);
  },
};

/** A disk in an array, which ends its bios when and how the test wants. */
export class ArrayDevice implements BlockDevice {
  readonly name = "array";
  readonly bytes: Uint8Array;
  readonly queue: RequestQueue;
  isReadOnly = false;
  sizeSectors: number;
  /** The operation, first sector and count of sectors of every bio. */
  readonly seen: { op: BioOp; flags: number; sector: number; sectors: number }[] = [];
  /** While true, bios are kept in `held`. */
  isHolding = false;
  readonly held: Bio[] = [];
  /** Whether each bio ends in a later turn of the event loop. */
  isLate = false;
  /** What every bio ends with. */
  status: BioStatus = BioStatus.Ok;
  /** Whether zeroes are not supported, whatever the limits say. */
  refusesZeroes = false;
  /** What a submitter has to wait for. */
  gate: Promise<void> | null = null;

  constructor(sizeBytes: number, limits: Partial<QueueLimits> = {}) {
    this.bytes = new Uint8Array(sizeBytes);
    this.sizeSectors = sizeBytes / SECTOR_BYTES;
    this.queue = new RequestQueue("array", { ...PLAIN_LIMITS, ...limits });
  }

  /** One of any size, which forgets what is written and reads as whatever was there. */
  static vast(sizeBytes: number, limits: Partial<QueueLimits> = {}): ArrayDevice {
    const device = new ArrayDevice(0, limits);
    device.sizeSectors = sizeBytes / SECTOR_BYTES;
    return device;
  }

  submitBio(bio: Bio, task: Task): Awaitable<void>;
  submitBio(bio: Bio): Awaitable<void> {
    if (this.gate !== null) {
      return this.gate.then(() => {
        this.#take(bio);
      });
    }
    this.#take(bio);
  }

  /** Ends what was held, last first. */
  letGo(): void {
    this.isHolding = false;
    for (const bio of this.held.splice(0).reverse()) this.#end(bio);
  }

  /** Ends one of those that are held. */
  letOneGo(index: number): void {
    for (const bio of this.held.splice(index, 1)) this.#end(bio);
  }

  #take(bio: Bio): void {
    const { op, flags, sector, sectors } = bio;
    this.seen.push({ op, flags, sector, sectors });
    if (this.isHolding) this.held.push(bio);
    else if (this.isLate)
      setImmediate(() => {
        this.#end(bio);
      });
    else this.#end(bio);
  }

  #end(bio: Bio): void {
    if (this.status !== BioStatus.Ok) {
      bioError(bio, this.status);
      return;
    }
    if (this.refusesZeroes && bio.op === BioOp.WriteZeroes) {
      bioError(bio, BioStatus.NotSupported);
      return;
    }
    if (this.bytes.length === 0) {
      bioEndio(bio);
      return;
    }
    let at = bio.sector * SECTOR_BYTES;
    if (bio.op === BioOp.WriteZeroes) this.bytes.fill(0, at, at + bio.sizeBytes);
    else if (bio.op === BioOp.Discard) this.bytes.fill(0xdd, at, at + bio.sizeBytes);
    while (bio.hasData) {
      const vec = bio.currentVec;
      if (vec === undefined) throw new Error("a bio without memory");
      const length = bio.currentBytes;
      const from = vec.offset + bio.vecDoneBytes;
      const memory = vec.page.bytes.subarray(from, from + length);
      const disk = this.bytes.subarray(at, at + length);
      if (bio.op === BioOp.Read) memory.set(disk);
      else disk.set(memory);
      at += length;
      bio.advance(length);
    }
    bioEndio(bio);
  }
}
