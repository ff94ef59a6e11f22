import {
  Bio,
  BioOp,
  BioStatus,
  type Bytes,
  createVecs,
  SECTOR_BYTES,
  type Sectors,
} from "@blkstack/bio";
import type { BlockDevice } from "@blkstack/block";
import { type Task, type Waitable, WaitQueue } from "@blkstack/task";
import type { BufferList } from "./buffer-list.ts";

/** One block of the device in memory, as its users see it. To be used only while it is held. */
export interface CachedBlock {
  /** Its number, in blocks from the start of the client's range. */
  readonly block: number;
  /** Its bytes. Who changes them says so with `markDirty`. */
  readonly data: Uint8Array;
  /** Whether it was changed since its last write began. */
  readonly isDirty: boolean;
  /** Whether a write of it is under way: what is changed now may or may not be part of that. */
  readonly isWriting: boolean;
}

/** Where the blocks of a client lie. */
export interface BufferHome {
  readonly label: string;
  readonly device: BlockDevice;
  readonly startSector: Sectors;
  readonly blockBytes: Bytes;
  /** What is dirty is written in multiples of this. */
  readonly writeAlignBytes: Bytes;
  /** Interrupt context. */
  ioEnded(buffer: BlockBuffer, status: BioStatus): void;
}

/**
 * A block, its state, and the one bio that reads or writes it: so that I/O of a block that is there
 * needs no more memory. Links are its own, so that lists of buffers need none either.
 */
export class BlockBuffer implements CachedBlock, Waitable {
  readonly home: BufferHome;
  readonly data: Uint8Array;
  block = -1;
  /** How many users have it. */
  holds = 0;
  isReading = false;
  isWriting = false;
  isDirty = false;
  /** How the last read, and the last write, ended. */
  readStatus: BioStatus = BioStatus.Ok;
  writeStatus: BioStatus = BioStatus.Ok;
  /** By a clock that goes on when somebody has to wait anyway. */
  lastUsedMs = 0;
  /** The list that it is on, and its neighbours there. */
  list: BufferList | null = null;
  newer: BlockBuffer | null = null;
  older: BlockBuffer | null = null;
  /** Where in the order of its client it became dirty, and where its last write began. */
  dirtiedAt = 0;
  writtenAt = 0;
  /** The last search for a buffer to be evicted that came by. */
  searchedBy = 0;
  /** Whoever is to send its I/O, which is claimed but not yet under way. */
  sender: Task | null = null;
  /** Behind it among those that the same task is to send. */
  nextToSend: BlockBuffer | null = null;
  /** Who has it, as often as it is held; only while exploring. */
  readonly holders: Task[] = [];
  #dirtyStart: Bytes = 0;
  #dirtyEnd: Bytes = 0;
  /** The part that the write under way writes. */
  #writeStart: Bytes = 0;
  #writeEnd: Bytes = 0;
  #waiting: WaitQueue | null = null;
  readonly #bio: Bio;

  constructor(home: BufferHome) {
    this.home = home;
    this.data = new Uint8Array(home.blockBytes);
    const vecs = createVecs(1);
    this.#bio = new Bio(null, this);
    this.#bio.vecs = vecs;
    this.#bio.vecMax = 1;
    Object.assign(vecs[0] ?? {}, { page: { bytes: this.data, frame: 0 }, length: home.blockBytes });
  }

  get label(): string {
    return `block ${String(this.block)} of ${this.home.label}`;
  }

  /** Whether no I/O of it is under way, or claimed. */
  get isIdle(): boolean {
    return !this.isReading && !this.isWriting;
  }

  /** Whether nobody has it, and nothing would be lost with it. */
  get isEvictable(): boolean {
    return this.holds === 0 && !this.isDirty && !this.isReading && !this.isWriting;
  }

  get hasFailed(): boolean {
    return this.readStatus !== BioStatus.Ok || this.writeStatus !== BioStatus.Ok;
  }

  /** What a wait for its I/O waits for. */
  blockers(): readonly object[] {
    if (this.sender !== null) return [this.sender];
    return this.isIdle ? [] : [this.#bio];
  }

  /** Becomes another block, of which nothing is known. */
  rekey(block: number): void {
    this.block = block;
    this.readStatus = BioStatus.Ok;
    this.writeStatus = BioStatus.Ok;
    this.isDirty = false;
  }

  /** Adds to what the next write is to write. */
  widen(start: Bytes, end: Bytes): void {
    if (!this.isDirty) {
      this.isDirty = true;
      this.#dirtyStart = start;
      this.#dirtyEnd = end;
      return;
    }
    if (start < this.#dirtyStart) this.#dirtyStart = start;
    if (end > this.#dirtyEnd) this.#dirtyEnd = end;
  }

  /** Takes what is dirty over into the write that begins. */
  claimWrite(): void {
    const { blockBytes, writeAlignBytes } = this.home;
    this.isDirty = false;
    this.isWriting = true;
    this.writeStatus = BioStatus.Ok;
    this.#writeStart = this.#dirtyStart - (this.#dirtyStart % writeAlignBytes);
    const end = Math.ceil(this.#dirtyEnd / writeAlignBytes) * writeAlignBytes;
    this.#writeEnd = Math.min(end, blockBytes);
  }

  /** The bio for the I/O that is claimed. */
  bioToSend(): Bio {
    if (this.isReading) return this.#address(BioOp.Read, 0, this.home.blockBytes);
    return this.#address(BioOp.Write, this.#writeStart, this.#writeEnd);
  }

  /** Sleeps until something changes. Waits: until the I/O that is under way has ended. */
  wait(task: Task): Promise<unknown> {
    this.#waiting ??= new WaitQueue(this.label, this);
    return this.#waiting.sleep(task);
  }

  wake(): void {
    this.#waiting?.wakeAll();
  }

  #address(op: BioOp, start: Bytes, end: Bytes): Bio {
    const bio = this.#bio;
    const { device, startSector, blockBytes } = this.home;
    bio.reset();
    bio.device = device;
    bio.op = op;
    bio.sector = startSector + (this.block * blockBytes + start) / SECTOR_BYTES;
    bio.sizeBytes = end - start;
    bio.vecCount = 1;
    bio.vecDoneBytes = start;
    bio.endIo = endIo;
    return bio;
  }
}

/** Interrupt context. */
function endIo(bio: Bio): void {
  const buffer = bio.pad as BlockBuffer;
  buffer.home.ioEnded(buffer, bio.status);
}

/** Whether a block is one of this package's. Asks for a field, which is quicker than `instanceof`. */
export function isBuffer(block: CachedBlock): block is BlockBuffer {
  return (block as Partial<BlockBuffer>).home !== undefined;
}
