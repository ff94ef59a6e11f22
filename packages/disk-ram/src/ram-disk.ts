import {
  type Bio,
  bioEndio,
  BioFlag,
  BioOp,
  BioStatus,
  type Bytes,
  invariant,
  isDataless,
  isWriteOp,
  SECTOR_BYTES,
  type Sectors,
} from "@blkstack/bio";
import {
  type BlockDevice,
  BlockError,
  type Extent,
  ExtentFlag,
  ExtentLayer,
  type QueueLimits,
  RequestQueue,
  validateLimits,
} from "@blkstack/block";
import { type Access, AccessMode, type InterruptSource, type Scheduler } from "@blkstack/task";
import type { Faults } from "./faults.ts";
import { MEMORY_LIMITS } from "./limits.ts";
import { SparseStore } from "./sparse-store.ts";
import type { WriteCache } from "./write-cache.ts";

/** Offsets in bytes stay exact below this size. */
const MAX_SIZE_SECTORS: Sectors = 2 ** 44;

export interface RamDiskOptions {
  readonly name: string;
  readonly sizeSectors: Sectors;
  readonly scheduler: Scheduler;
  /** What differs from the limits of memory, which are next to none. */
  readonly limits?: Partial<QueueLimits>;
  readonly isReadOnly?: boolean;
  /** Has flushes come to the disk. Without a `writeCache` they have nothing to do there. */
  readonly hasVolatileCache?: boolean;
  /** Keeps account of what is durable; implies `hasVolatileCache`. */
  readonly writeCache?: WriteCache;
  readonly faults?: Faults;
  /** The most memory to take; writes beyond it end with NoSpace. Default: no limit. */
  readonly memoryLimitBytes?: Bytes;
}

/**
 * A disk in memory, of which only what is written takes any.
 *
 * Data moves when the bio is submitted; the bio ends when the scheduler delivers the disk's
 * interrupt: at once for real, in any order under the explorer.
 */
export class RamDisk implements BlockDevice, InterruptSource<Bio> {
  readonly name: string;
  readonly label: string;
  readonly sizeSectors: Sectors;
  readonly isReadOnly: boolean;
  readonly queue: RequestQueue;
  /** Which bios fail from now on. */
  faults: Faults | null;
  readonly #scheduler: Scheduler;
  readonly #store: SparseStore;
  readonly #cache: WriteCache | null;
  readonly #reading: Access;
  readonly #writing: Access;

  constructor(options: RamDiskOptions) {
    const { name, sizeSectors, writeCache } = options;
    if (!Number.isInteger(sizeSectors) || sizeSectors <= 0 || sizeSectors >= MAX_SIZE_SECTORS) {
      const given = String(sizeSectors);
      throw new BlockError(
        "BLK_DEVICE",
        "EINVAL",
        `ram disk "${name}": a size of ${given} sectors; give a whole number from 1 to 2^44 - 1`,
      );
    }
    this.name = name;
    this.label = `disk ${name}`;
    this.sizeSectors = sizeSectors;
    this.isReadOnly = options.isReadOnly ?? false;
    const hasVolatileCache = options.hasVolatileCache ?? writeCache !== undefined;
    const limits = { ...MEMORY_LIMITS, hasVolatileCache, ...options.limits };
    validateLimits(limits, name);
    this.queue = new RequestQueue(name, limits);
    this.faults = options.faults ?? null;
    this.#scheduler = options.scheduler;
    this.#store = new SparseStore(
      sizeSectors * SECTOR_BYTES,
      options.memoryLimitBytes ?? Number.MAX_SAFE_INTEGER,
    );
    this.#cache = writeCache ?? null;
    this.#reading = { object: this, mode: AccessMode.Read, label: `read ${name}` };
    this.#writing = { object: this, mode: AccessMode.Write, label: `write ${name}` };
  }

  /** The memory that the data takes now. */
  get allocatedBytes(): Bytes {
    return this.#store.allocatedBytes;
  }

  /** Serves the bio and has it end through the scheduler. Waits: never. */
  submitBio(bio: Bio): void {
    if (this.#scheduler.isExploring) {
      this.#scheduler.touch(isWriteOp(bio.op) ? this.#writing : this.#reading);
    }
    const status = this.#serve(bio);
    // Only errors are written: a driver above may have put one there already.
    if (status !== BioStatus.Ok) bio.status = status;
    this.#scheduler.raise(this, bio);
  }

  /** Where nothing is stored are holes; a disk that is to fail says nothing, for reads are to fail. */
  findExtent(sector: Sectors, extent: Extent): void {
    extent.flags = 0;
    extent.layer = ExtentLayer.Only;
    if (this.faults !== null) return;
    const begin = sector * SECTOR_BYTES;
    const end = begin + extent.sectors * SECTOR_BYTES;
    const isHole = !this.#store.isStored(begin);
    if (isHole) extent.flags = ExtentFlag.Hole | ExtentFlag.Zero;
    extent.sectors = (this.#store.sameUntil(begin, end) - begin) / SECTOR_BYTES;
  }

  handleInterrupt(bio: Bio): void {
    if (this.#cache !== null && isWriteOp(bio.op) && bio.status === BioStatus.Ok) {
      this.#scheduler.touch(this.#writing);
      this.#cache.acknowledged(bio);
    }
    bioEndio(bio);
  }

  /** Nobody in particular: the disk ends what it was given, whatever the others do. */
  blockers(): readonly object[] {
    return [];
  }

  /** Looks at the data behind the back of the queue, the faults and the cache. */
  peek(startSector: Sectors, into: Uint8Array): void {
    this.#store.read(startSector * SECTOR_BYTES, into, 0, into.length);
  }

  /** Changes the data likewise, to prepare a disk before it is used. NoSpace and Resource: as a write. */
  poke(startSector: Sectors, from: Uint8Array): BioStatus {
    return this.#store.write(startSector * SECTOR_BYTES, from, 0, from.length);
  }

  #serve(bio: Bio): BioStatus {
    if (bio.endSector > this.sizeSectors && bio.sizeBytes > 0) return BioStatus.IoError;
    if (this.isReadOnly && isWriteOp(bio.op) && bio.sizeBytes > 0) return BioStatus.ReadOnly;
    const fault = this.faults?.statusOf(bio) ?? BioStatus.Ok;
    if (fault !== BioStatus.Ok) return fault;
    const { faults: chance } = this.#scheduler;
    const misfortune = chance === undefined ? BioStatus.Ok : chance.ioStatus(bio.toString());
    if (misfortune !== BioStatus.Ok) return misfortune;
    if (bio.op === BioOp.Read) {
      this.#read(bio);
      return BioStatus.Ok;
    }
    this.#cache?.submitted(bio, this.#store);
    if (bio.op === BioOp.Write) return this.#write(bio);
    if (bio.op === BioOp.Flush) return BioStatus.Ok;
    if (!isDataless(bio.op) || bio.op === BioOp.SecureErase) return BioStatus.NotSupported;
    const keepExtents = (bio.flags & BioFlag.NoUnmap) !== 0;
    this.#store.zero(bio.sector * SECTOR_BYTES, bio.sizeBytes, keepExtents);
    return BioStatus.Ok;
  }

  // The iterator of the bio stays where it is: whoever ends a bio may still want to know its range.
  #read(bio: Bio): void {
    let offset = bio.sector * SECTOR_BYTES;
    let left = bio.sizeBytes;
    let skip = bio.vecDoneBytes;
    for (let index = bio.vecIndex; left > 0; index += 1, skip = 0) {
      const vec = bio.vecs[index];
      invariant(vec !== undefined, "a bio is longer than its vectors");
      const count = Math.min(left, vec.length - skip);
      this.#store.read(offset, vec.page.bytes, vec.offset + skip, count);
      offset += count;
      left -= count;
    }
  }

  #write(bio: Bio): BioStatus {
    let offset = bio.sector * SECTOR_BYTES;
    let left = bio.sizeBytes;
    let skip = bio.vecDoneBytes;
    for (let index = bio.vecIndex; left > 0; index += 1, skip = 0) {
      const vec = bio.vecs[index];
      invariant(vec !== undefined, "a bio is longer than its vectors");
      const count = Math.min(left, vec.length - skip);
      const status = this.#store.write(offset, vec.page.bytes, vec.offset + skip, count);
      if (status !== BioStatus.Ok) return status;
      offset += count;
      left -= count;
    }
    return BioStatus.Ok;
  }
}
