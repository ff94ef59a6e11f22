import {
  type Bio,
  BioFlag,
  BioOp,
  BioState,
  type BioVec,
  type Bytes,
  invariant,
  SECTOR_BYTES,
  statusToErrno,
} from "@blkstack/bio";
import { BioSet } from "@blkstack/bio-set";
import type { BlockDevice, Submitter } from "@blkstack/block";
import { submitAndWait } from "@blkstack/make-request";
import type { Memory } from "@blkstack/memory";
import { type Awaitable, GFP_NOIO, type Scheduler, type Task } from "@blkstack/task";
import type { BackingFile, FileRange } from "./backing-file.ts";

/** How many calls can be under way with no memory at all. */
const RESERVE = 4;

export interface DeviceFileOptions {
  readonly device: BlockDevice;
  readonly scheduler: Scheduler;
  readonly memory: Memory;
  /** The way down. It is to cut bios that the device cannot take at once. */
  readonly submitter: Submitter;
}

/**
 * A block device as a file: of a fixed size, read and written in its blocks. Each call is one bio,
 * which is done as a whole or fails.
 */
export class DeviceFile implements BackingFile {
  readonly label: string;
  readonly kind = "block";
  readonly device: BlockDevice;
  readonly punchHole?: (range: FileRange, task: Task) => Awaitable<number>;
  readonly zeroRange?: (range: FileRange, mayFree: boolean, task: Task) => Awaitable<number>;
  readonly #submitter: Submitter;
  readonly #bios: BioSet;

  /** Throws a `BlockError` (ENOMEM) when there is no memory for the reserve. */
  constructor({ device, scheduler, memory, submitter }: DeviceFileOptions) {
    this.label = `device ${device.name}`;
    this.device = device;
    this.#submitter = submitter;
    const name = `file of ${device.name}`;
    this.#bios = new BioSet({ name, scheduler, memory, poolSize: RESERVE });
    const { maxDiscardSectors, maxWriteZeroesSectors } = device.queue.limits;
    if (maxDiscardSectors > 0) {
      this.punchHole = (range, task) => this.#change(BioOp.Discard, range, 0, task);
    }
    if (maxWriteZeroesSectors > 0) {
      this.zeroRange = (range, mayFree, task) =>
        this.#change(BioOp.WriteZeroes, range, mayFree ? 0 : BioFlag.NoUnmap, task);
    }
  }

  get sizeBytes(): Bytes {
    return this.device.sizeSectors * SECTOR_BYTES;
  }

  get isReadOnly(): boolean {
    return this.device.isReadOnly;
  }

  get blockBytes(): Bytes {
    return this.device.queue.limits.logicalBlockBytes;
  }

  /** Waits: until the device has answered. */
  async read(views: readonly Uint8Array[], offsetBytes: Bytes, task: Task): Promise<number> {
    const bio = await this.#newBio(BioOp.Read, offsetBytes, task);
    return this.#run(bio, setMemory(bio, views), task);
  }

  /** Waits: until the device has answered. */
  async write(views: readonly Uint8Array[], offsetBytes: Bytes, task: Task): Promise<number> {
    const bio = await this.#newBio(BioOp.Write, offsetBytes, task);
    return this.#run(bio, setMemory(bio, views), task);
  }

  /** Waits: until the device has answered. */
  async sync(task: Task): Promise<number> {
    const bio = await this.#newBio(BioOp.Write, 0, task);
    bio.flags = BioFlag.Preflush | BioFlag.Sync;
    return this.#run(bio, 0, task);
  }

  /** The end of the file; the device lives on. Waits: never. */
  async close(task: Task): Promise<void> {
    await this.#bios.destroy(task);
  }

  async #change(op: BioOp, range: FileRange, flags: number, task: Task): Promise<number> {
    const bio = await this.#newBio(op, range.offsetBytes, task);
    bio.flags = flags;
    bio.sizeBytes = range.lengthBytes;
    return this.#run(bio, 0, task);
  }

  async #newBio(op: BioOp, offsetBytes: Bytes, task: Task): Promise<Bio> {
    const bio = await this.#bios.alloc(GFP_NOIO, 0, task);
    invariant(bio !== null, `${this.label}: no bio although it may wait`);
    bio.op = op;
    bio.device = this.device;
    bio.sector = offsetBytes / SECTOR_BYTES;
    return bio;
  }

  /** Submits the bio and gives it back; answers `moved` if it ended well. */
  async #run(bio: Bio, moved: number, task: Task): Promise<number> {
    const status = await submitAndWait(this.#submitter, bio, task);
    bio.put();
    return status === 0 ? moved : statusToErrno(status);
  }
}

/** Has `bio` move this memory; answers how much that is. */
function setMemory(bio: Bio, views: readonly Uint8Array[]): Bytes {
  bio.vecs = views.map((bytes): BioVec => {
    return { page: { bytes, frame: 0 }, offset: 0, length: bytes.length };
  });
  bio.state |= BioState.Cloned;
  bio.sizeBytes = views.reduce((sum, { length }) => sum + length, 0);
  return bio.sizeBytes;
}
