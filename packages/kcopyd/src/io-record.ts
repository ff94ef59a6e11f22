import {
  type Bio,
  BIO_MAX_VECS,
  BioFlag,
  type BioFlags,
  BioOp,
  type BioVec,
  type Bytes,
  invariant,
  isDataless,
  opName,
  SECTOR_BYTES,
  type Sectors,
} from "@blkstack/bio";
import type { QueueLimits } from "@blkstack/block";
import type { Waitable } from "@blkstack/task";
import type { IoRegion } from "./region.ts";

const NO_REGIONS: readonly IoRegion[] = [];
const NO_MEMORY: BioVec[] = [];
/** The size of a bio is below 4 GiB; this ends with a whole block of any size that there is. */
const BIO_MAX_SECTORS: Sectors = (2 ** 32 - 65_536) / SECTOR_BYTES;

/** The same operation on each of several regions, with the same memory. Not to be changed until it ended. */
export interface IoRequest {
  readonly op: BioOp;
  readonly flags: BioFlags;
  /** Up to 64; exactly one to read from. */
  readonly regions: readonly IoRegion[];
  /** At least as long as the longest region; DISCARD and its like need none. Bios share the table. */
  readonly memory: BioVec[];
}

/** Who wants to know how a request ended. */
export interface IoListener {
  /**
   * Bit `i` is set when any part of region `i` failed; 0n: all went well. Called once, in interrupt
   * context: never sleeps, never throws.
   */
  ioEnded(errorBits: bigint): void;
}

/** Takes a record back when its last bio has ended. */
interface RecordHome {
  recordEnded(record: IoRecord): void;
}

/** The account of one request: what of it is to be sent, how many bios are out, what failed. */
export class IoRecord implements Waitable {
  op: BioOp = BioOp.Read;
  flags: BioFlags = 0;
  memory: BioVec[] = NO_MEMORY;
  listener: IoListener | null = null;
  errorBits = 0n;
  /** Where the next bio begins: in the region, and in the memory. */
  regionIndex = 0;
  sector: Sectors = 0;
  vecIndex = 0;
  vecDoneBytes: Bytes = 0;
  readonly #home: RecordHome;
  #regions: readonly IoRegion[] = NO_REGIONS;
  #sectorsLeft: Sectors = 0;
  #isFlushDue = false;
  /** Bios that are out, and one for whoever sends them. */
  #pending = 0;
  /** Only while exploring, for the wait-for graph. */
  readonly #bios: Set<Bio> | null;

  constructor(home: RecordHome, isExploring: boolean) {
    this.#home = home;
    this.#bios = isExploring ? new Set() : null;
  }

  get label(): string {
    const [first, ...others] = this.#regions;
    if (first === undefined) return "request that has ended";
    const { device, sector, sectors } = first;
    const range = `${device.name} [${String(sector)}..${String(sector + sectors)})`;
    const more = others.length === 0 ? "" : ` and ${String(others.length)} more`;
    return `request ${opName(this.op)} ${range}${more}`;
  }

  get region(): IoRegion {
    const region = this.#regions[this.regionIndex];
    if (region === undefined) invariant(false, `${this.label}: region beyond the last`);
    return region;
  }

  /** The bios that are out. */
  blockers(): readonly object[] {
    return this.#bios === null ? [] : [...this.#bios];
  }

  begin({ op, flags, regions, memory }: IoRequest, listener: IoListener): void {
    this.op = op;
    this.flags = flags;
    this.memory = memory;
    this.listener = listener;
    this.errorBits = 0n;
    this.#regions = regions;
    this.#pending = 1;
    this.#toRegion(0);
  }

  /** Lets go of everything that is not the record's own. */
  clear(): void {
    this.memory = NO_MEMORY;
    this.listener = null;
    this.#regions = NO_REGIONS;
  }

  /** Goes to the region that the next bio is for; false when nothing is left to be sent. */
  advance(): boolean {
    while (this.#sectorsLeft === 0 && !this.#isFlushDue) {
      if (this.regionIndex + 1 >= this.#regions.length) return false;
      this.#toRegion(this.regionIndex + 1);
    }
    return true;
  }

  /**
   * Addresses `bio` to as much as it can take of what is left, and takes that off. False when the
   * device cannot do this operation at all: then the region has failed.
   */
  fill(bio: Bio): boolean {
    const { device } = this.region;
    bio.device = device;
    bio.op = this.op;
    bio.flags = this.flags;
    bio.sector = this.sector;
    if (this.#isFlushDue) {
      this.#isFlushDue = false;
      return true;
    }
    return isDataless(this.op) ? this.#fillRange(bio, device.queue.limits) : this.#fillData(bio);
  }

  sent(bio: Bio): void {
    this.#pending += 1;
    this.#bios?.add(bio);
  }

  bioEnded(bio: Bio): void {
    this.#bios?.delete(bio);
  }

  /** Interrupt context. */
  fail(regionIndex: number): void {
    this.errorBits |= 1n << BigInt(regionIndex);
  }

  /** One bio, or whoever sends them, is done. Interrupt context. */
  drop(): void {
    this.#pending -= 1;
    if (this.#pending === 0) this.#home.recordEnded(this);
  }

  #toRegion(index: number): void {
    const region = this.#regions[index];
    this.regionIndex = index;
    this.sector = region?.sector ?? 0;
    this.#sectorsLeft = region?.sectors ?? 0;
    this.vecIndex = 0;
    this.vecDoneBytes = 0;
    this.#isFlushDue = region?.sectors === 0 && (this.flags & BioFlag.Preflush) !== 0;
  }

  #fillRange(bio: Bio, limits: QueueLimits): boolean {
    const sectors = Math.min(this.#sectorsLeft, rangeMax(this.op, limits), BIO_MAX_SECTORS);
    if (sectors === 0) {
      this.fail(this.regionIndex);
      this.#sectorsLeft = 0;
      return false;
    }
    this.#take(bio, sectors);
    return true;
  }

  #fillData(bio: Bio): boolean {
    const { vecIndex, vecDoneBytes } = this;
    bio.vecs = this.memory;
    bio.vecIndex = vecIndex;
    bio.vecDoneBytes = vecDoneBytes;
    const wantedBytes = Math.min(this.#sectorsLeft, BIO_MAX_SECTORS) * SECTOR_BYTES;
    const bytes = this.#advanceMemory(wantedBytes);
    // Memory may end anywhere, but a bio must not end inside a block.
    const over = bytes % this.region.device.queue.limits.logicalBlockBytes;
    if (bytes < wantedBytes && over > 0) this.#stepBack(over);
    const taken = bytes < wantedBytes ? bytes - over : bytes;
    if (taken === 0) invariant(false, `${this.label}: less memory than sectors`);
    this.#take(bio, taken / SECTOR_BYTES);
    return true;
  }

  #take(bio: Bio, sectors: Sectors): void {
    bio.sizeBytes = sectors * SECTOR_BYTES;
    this.sector += sectors;
    this.#sectorsLeft -= sectors;
  }

  /** Goes through as many vectors as a bio may have, or as hold `wantedBytes`; answers how many do. */
  #advanceMemory(wantedBytes: Bytes): Bytes {
    const end = Math.min(this.memory.length, this.vecIndex + BIO_MAX_VECS);
    let bytes = 0;
    while (bytes < wantedBytes && this.vecIndex < end) {
      const { length } = this.memory[this.vecIndex] ?? NO_VEC;
      const taken = Math.min(length - this.vecDoneBytes, wantedBytes - bytes);
      bytes += taken;
      this.vecDoneBytes += taken;
      if (this.vecDoneBytes < length) break;
      this.vecIndex += 1;
      this.vecDoneBytes = 0;
    }
    return bytes;
  }

  #stepBack(bytes: Bytes): void {
    let left = bytes;
    while (left > this.vecDoneBytes) {
      left -= this.vecDoneBytes;
      this.vecIndex -= 1;
      this.vecDoneBytes = this.memory[this.vecIndex]?.length ?? 0;
    }
    this.vecDoneBytes -= left;
  }
}

const NO_VEC = { length: 0 };

/** The most that a device does at once of an operation that moves no data. */
function rangeMax(op: BioOp, limits: QueueLimits): Sectors {
  if (op === BioOp.Discard) return limits.maxDiscardSectors;
  return op === BioOp.SecureErase ? limits.maxSecureEraseSectors : limits.maxWriteZeroesSectors;
}
