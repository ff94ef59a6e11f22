import {
  type Bio,
  bioEndio,
  BioFlag,
  BioList,
  BioOp,
  BioStatus,
  type Bytes,
  isDataless,
  isWriteOp,
  SECTOR_BYTES,
  type Sectors,
  statusName,
} from "@blkstack/bio";
import {
  type BlockDevice,
  BlockError,
  type Extent,
  setData,
  type QueueLimits,
  RequestQueue,
  validateLimits,
} from "@blkstack/block";
import { type FileCalls, loadFileCalls } from "@blkstack/file-calls";
import type { InterruptSource, Scheduler } from "@blkstack/task";
import { BlankFile } from "./blank-file.ts";
import { ColdReads } from "./cold-reads.ts";
import { type DataCalls, FileData } from "./file-data.ts";
import { FileExtents } from "./file-extents.ts";
import { type Files, type HolePuncher, NODE_FILES } from "./files.ts";
import { GroupCommit } from "./group-commit.ts";
import { DIRECT_LIMITS, FILE_LIMITS } from "./limits.ts";
import {
  growImage,
  imageSize,
  type ImageOptions,
  openImage,
  type OpenImage,
} from "./open-image.ts";

export interface FileDiskOptions extends ImageOptions {
  readonly scheduler: Scheduler;
  /** How many operations may be with libuv's threads at once; the others wait. Default 32. */
  readonly maxInFlight?: number;
  /**
   * Reads of what is in the page cache, and writes, are served inside `submitBio` up to this size:
   * cheaper than a thread by half. Without `calls` nobody knows what is there, and everything else
   * waits for a read of what is not. Default 256 KiB; 0: none, and the default past the page cache.
   */
  readonly syncLimitBytes?: Bytes;
  /** What differs from the limits of a file, which are next to none. */
  readonly limits?: Partial<QueueLimits>;
  /** Makes discards, and zeroes, give space back. Default: `calls`; null: no holes are made. */
  readonly holes?: HolePuncher | null;
  /**
   * What Node alone cannot do. Default: what `@blkstack/file-calls` has for this machine, and nothing
   * if there are `files`; null: nothing.
   */
  readonly calls?: FileCalls | null;
  /** The calls that serve bios. Default: those of `node:fs`. */
  readonly files?: Files;
}

/** An image file, or a block device of the host, as a disk. */
export class FileDisk implements BlockDevice, InterruptSource<Bio> {
  readonly name: string;
  readonly label: string;
  readonly path: string;
  readonly isReadOnly: boolean;
  readonly queue: RequestQueue;
  /** Whether `open` made the file. */
  readonly isNew: boolean;
  #sizeSectors: Sectors;
  readonly #scheduler: Scheduler;
  readonly #files: Files;
  readonly #fd: number;
  readonly #data: FileData;
  readonly #coldReads: ColdReads;
  readonly #extents: FileExtents;
  readonly #commit: GroupCommit;
  readonly #syncLimitBytes: Bytes;
  readonly #maxInFlight: number;
  #inFlight = 0;
  /** Bios beyond `maxInFlight`: as many as the callers have memory for. */
  readonly #waiting = new BioList();
  /** Bios that were taken and have not ended. */
  #pending = 0;
  #closed: Promise<void> | null = null;
  #becameIdle: (() => void) | null = null;

  private constructor(options: FileDiskOptions, image: OpenImage, dataCalls: DataCalls) {
    const { name, path } = options;
    const { files, calls } = dataCalls;
    this.name = name;
    this.label = `disk ${name}`;
    this.path = path;
    this.#sizeSectors = Math.floor(image.sizeBytes / SECTOR_BYTES);
    this.isReadOnly = options.isReadOnly ?? false;
    this.queue = new RequestQueue(name, limitsOf(options));
    this.isNew = image.isNew;
    this.#scheduler = options.scheduler;
    this.#files = files;
    this.#fd = image.fd;
    this.#data = new FileData(image.fd, dataCalls);
    this.#coldReads = new ColdReads(this.#data, (bio, status) => {
      this.#leave(bio, status);
    });
    this.#extents = new FileExtents(image.fd, calls, new BlankFile(image.fd, image.tellsBlocks));
    this.#commit = new GroupCommit((done) => {
      files.fdatasync(image.fd, done);
    }, !this.isReadOnly);
    this.#syncLimitBytes = options.syncLimitBytes ?? (options.isDirect === true ? 0 : 256 * 1024);
    this.#maxInFlight = options.maxInFlight ?? 32;
  }

  /**
   * Opens the file, and makes it first if that is asked for. Never changes the size of a file
   * that is there.
   *
   * Throws a BlockError, `BLK_DEVICE`, that names the path and what would be right.
   */
  static async open(options: FileDiskOptions): Promise<FileDisk> {
    checkCount(options, "maxInFlight", 1);
    checkCount(options, "syncLimitBytes", 0);
    validateLimits(limitsOf(options), options.name);
    const { files = NODE_FILES } = options;
    const usual = options.files === undefined ? await loadFileCalls() : null;
    const { calls = usual } = options;
    const { holes = calls } = options;
    return new FileDisk(options, await openImage(options), { files, calls, holes });
  }

  /** Whole sectors; what is left of a file behind the last one is not served. */
  get sizeSectors(): Sectors {
    return this.#sizeSectors;
  }

  /**
   * Looks whether somebody has made the file longer, and serves what was added. A file that became
   * shorter keeps its size here: reads behind its end fail, writes make it longer again.
   *
   * Waits: for the system. Never throws: the next bio tells whether the file is in order.
   */
  async followGrowth(): Promise<void> {
    const sizeBytes = await imageSize(this.#fd);
    // A descriptor that was closed meanwhile may be another file by now.
    if (this.#closed !== null || sizeBytes === null) return;
    this.#sizeSectors = Math.max(this.#sizeSectors, Math.floor(sizeBytes / SECTOR_BYTES));
  }

  /**
   * Makes the file so long, unless it is already, and serves what was added.
   *
   * Waits: for the system. Throws a BlockError, `BLK_DEVICE`, for a disk that cannot become so long.
   */
  async grow(sizeBytes: Bytes): Promise<void> {
    const { name, path, isReadOnly } = this;
    await growImage({ name, path, isReadOnly }, this.#fd, sizeBytes);
    await this.followGrowth();
  }

  /** Takes the bio. Waits: never; without `calls` small reads of what is not cached do block. */
  submitBio(bio: Bio): void {
    this.#pending += 1;
    const refusal = this.#refusal(bio);
    if (refusal !== BioStatus.Ok) this.#end(bio, refusal);
    else if ((bio.flags & BioFlag.Preflush) !== 0 || bio.op === BioOp.Flush) this.#flushFirst(bio);
    else this.#serve(bio);
  }

  /** Tells holes from data, as far as the file system and the `calls` do. */
  findExtent(sector: Sectors, extent: Extent): void {
    setData(extent);
    if (this.#closed === null) this.#extents.find(sector, extent);
  }

  handleInterrupt(bio: Bio): void {
    this.#pending -= 1;
    bioEndio(bio);
    if (this.#pending === 0) this.#becameIdle?.();
  }

  /** Nobody in particular: the host ends what it was given. */
  blockers(): readonly object[] {
    return [];
  }

  /**
   * Ends what was submitted, makes it durable and closes the file. Bios that come later end with
   * IoError. May be called again.
   *
   * Waits: until all bios have ended and the file is synced. Throws a BlockError, `BLK_DEVICE`,
   * when acknowledged writes may not be durable.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    if (this.#pending > 0) {
      await new Promise<void>((resolve) => {
        this.#becameIdle = resolve;
      });
    }
    const status = await new Promise<BioStatus>((resolve) => {
      this.#commit.request(resolve);
    });
    const closeError = await new Promise<Error | null>((resolve) => {
      this.#files.close(this.#fd, resolve);
    });
    if (status === BioStatus.Ok && closeError === null) return;
    throw new BlockError(
      "BLK_DEVICE",
      "EIO",
      `disk "${this.name}": closing ${this.path}: ${closeError?.message ?? statusName(status)}; ` +
        "writes since the last good flush may be lost",
    );
  }

  #refusal(bio: Bio): BioStatus {
    if (this.#closed !== null) return BioStatus.IoError;
    if (bio.sizeBytes === 0) return BioStatus.Ok;
    if (bio.endSector > this.sizeSectors) return BioStatus.IoError;
    if (bio.op === BioOp.Read) return BioStatus.Ok;
    if (this.isReadOnly && isWriteOp(bio.op)) return BioStatus.ReadOnly;
    if (bio.op === BioOp.Write || bio.op === BioOp.Discard) return BioStatus.Ok;
    return bio.op === BioOp.WriteZeroes ? BioStatus.Ok : BioStatus.NotSupported;
  }

  #flushFirst(bio: Bio): void {
    this.#commit.request((status) => {
      if (status === BioStatus.Ok) this.#serve(bio);
      else this.#end(bio, status);
    });
  }

  #serve(bio: Bio): void {
    if (bio.sizeBytes === 0 || this.#data.ignores(bio)) this.#end(bio, BioStatus.Ok);
    else if (bio.sizeBytes <= this.#syncLimitBytes && !isDataless(bio.op)) {
      const status = this.#data.moveNow(bio);
      if (status !== null) this.#served(bio, status);
      else if (this.#hasRoom(bio)) this.#coldReads.add(bio);
    } else if (this.#hasRoom(bio)) {
      this.#data.start(bio, (status) => {
        this.#leave(bio, status);
      });
    }
  }

  /** Whether one more may be with the host; if not, the bio waits for another one to leave. */
  #hasRoom(bio: Bio): boolean {
    if (this.#inFlight === this.#maxInFlight) {
      this.#waiting.add(bio);
      return false;
    }
    this.#inFlight += 1;
    return true;
  }

  #leave(bio: Bio, status: BioStatus): void {
    this.#inFlight -= 1;
    this.#served(bio, status);
    // More than one: whoever finds its data in the page cache takes no room.
    while (this.#inFlight < this.#maxInFlight) {
      const next = this.#waiting.pop();
      if (next === null) break;
      this.#serve(next);
    }
  }

  #served(bio: Bio, status: BioStatus): void {
    if (bio.op !== BioOp.Read) {
      // Even a failed write may have changed something.
      this.#commit.markDirty();
      if (isDataless(bio.op)) this.#extents.forget();
      if (status === BioStatus.IoError) this.#commit.owe(status);
      if (status === BioStatus.Ok && (bio.flags & BioFlag.Fua) !== 0) {
        this.#flushLast(bio);
        return;
      }
    }
    this.#end(bio, status);
  }

  #flushLast(bio: Bio): void {
    this.#commit.request((status) => {
      this.#end(bio, status);
    });
  }

  #end(bio: Bio, status: BioStatus): void {
    // Only errors are written: a driver above may have put one there already.
    if (status !== BioStatus.Ok) bio.status = status;
    this.#scheduler.raise(this, bio);
  }
}

function limitsOf({ isDirect, limits }: FileDiskOptions): QueueLimits {
  return { ...(isDirect === true ? DIRECT_LIMITS : FILE_LIMITS), ...limits };
}

function checkCount(
  options: FileDiskOptions,
  key: "maxInFlight" | "syncLimitBytes",
  min: number,
): void {
  const value = options[key];
  if (value === undefined || (Number.isSafeInteger(value) && value >= min)) return;
  throw new BlockError(
    "BLK_DEVICE",
    "EINVAL",
    `disk "${options.name}": ${key} is ${String(value)}; give a whole number from ${String(min)} on`,
  );
}
