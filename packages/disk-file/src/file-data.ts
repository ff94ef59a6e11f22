/// <reference lib="es2024.arraybuffer" />
import {
  type Bio,
  BioFlag,
  BioOp,
  BioStatus,
  type BioVec,
  type Bytes,
  collectBioViews,
  SECTOR_BYTES,
} from "@blkstack/bio";
import type { ByteRange, FileCalls } from "@blkstack/file-calls";
import { statusOfError } from "./errno.ts";
import type { Files, HolePuncher } from "./files.ts";
import { mayRetry, moveAll } from "./move-all.ts";

/** The most memory ranges that one system call takes (IOV_MAX). */
const VIEWS_MAX = 1024;

const ZEROES_BYTES = 1024 * 1024;

/**
 * What zeroes are written from, by everybody: never written to. In a buffer that can be resized, for
 * such a one begins at a page, as direct I/O wants it.
 */
const ZEROES = new Uint8Array(new ArrayBuffer(ZEROES_BYTES, { maxByteLength: ZEROES_BYTES }));

const EAGAIN = -11;

/** What moves data, and what else can be done to a file. */
export interface DataCalls {
  readonly files: Files;
  readonly calls: FileCalls | null;
  readonly holes: HolePuncher | null;
}

type Finish = (status: BioStatus) => void;

/** Moves the data of bios from and to one open file. Knows nothing of durability. */
export class FileData {
  readonly #files: Files;
  readonly #fd: number;
  readonly #holes: HolePuncher | null;
  readonly #calls: FileCalls | null;
  /** Null: nothing tells what is in the page cache. */
  #cached: FileCalls | null;
  /** For `moveNow`, which is done with it when it returns. */
  readonly #views: Uint8Array[] = [];

  constructor(fd: number, { files, calls, holes }: DataCalls) {
    this.#files = files;
    this.#fd = fd;
    this.#holes = holes;
    this.#calls = calls;
    this.#cached = calls;
  }

  /** Whether nothing is to be done: a discard is a wish, and without holes the data stays. */
  ignores(bio: Bio): boolean {
    return bio.op === BioOp.Discard && this.#holes === null;
  }

  /**
   * Reads or writes inside this call: no thread, no closure, no memory for the usual bio. Null: what
   * is to be read is not in the page cache, so `start` should.
   */
  moveNow(bio: Bio): BioStatus | null {
    if (bio.op === BioOp.Read && this.#cached !== null) {
      const moved = this.#readCached(this.#cached, bio);
      if (moved === bio.sizeBytes) return BioStatus.Ok;
      if (moved > 0 || moved === EAGAIN) return null;
      // This file system cannot tell, or will not with so little memory.
      this.#cached = null;
    }
    let doneBytes = bio.op === BioOp.Read ? 0 : this.#writeCheaply(bio);
    let retries = 0;
    while (doneBytes < bio.sizeBytes) {
      try {
        const count = this.#callNow(bio, doneBytes);
        doneBytes += count;
        // The file is shorter than it was when it was opened: somebody cut it.
        if (count === 0) return BioStatus.IoError;
      } catch (error) {
        if (!mayRetry(error, retries)) return statusOfError(error);
        retries += 1;
      }
    }
    return BioStatus.Ok;
  }

  /** Has what a bio is to read be in the page cache soon. Waits: never for the data. */
  readAhead(bio: Bio): void {
    this.#cached?.readAhead(this.#fd, rangeOf(bio));
  }

  /** Serves any operation with data or a range, on libuv's threads. */
  start(bio: Bio, finish: Finish): void {
    if (bio.op === BioOp.Discard) this.#discard(bio, finish);
    else if (bio.op === BioOp.WriteZeroes) this.#zero(bio, finish);
    else this.#move(bio, finish);
  }

  #readCached(calls: FileCalls, bio: Bio): number {
    const position = bio.sector * SECTOR_BYTES;
    const vec = onlyVec(bio);
    if (vec !== null) {
      const at = vec.offset + bio.vecDoneBytes;
      return calls.readCached(this.#fd, vec.page.bytes, at, bio.sizeBytes, position);
    }
    collectBioViews(bio, 0, this.#views, VIEWS_MAX);
    return calls.readvCached(this.#fd, this.#views, position);
  }

  /** Answers how much was written: perhaps not all, and nothing if it failed; then the other way tells why. */
  #writeCheaply(bio: Bio): Bytes {
    const vec = onlyVec(bio);
    if (this.#calls === null || vec === null) return 0;
    const position = bio.sector * SECTOR_BYTES;
    const at = vec.offset + bio.vecDoneBytes;
    return Math.max(0, this.#calls.write(this.#fd, vec.page.bytes, at, bio.sizeBytes, position));
  }

  #callNow(bio: Bio, doneBytes: Bytes): number {
    const position = bio.sector * SECTOR_BYTES + doneBytes;
    const vec = doneBytes === 0 ? onlyVec(bio) : null;
    if (vec !== null) {
      const { bytes } = vec.page;
      const at = vec.offset + bio.vecDoneBytes;
      return bio.op === BioOp.Read
        ? this.#files.readSync(this.#fd, bytes, at, bio.sizeBytes, position)
        : this.#files.writeSync(this.#fd, bytes, at, bio.sizeBytes, position);
    }
    collectBioViews(bio, doneBytes, this.#views, VIEWS_MAX);
    return bio.op === BioOp.Read
      ? this.#files.readvSync(this.#fd, this.#views, position)
      : this.#files.writevSync(this.#fd, this.#views, position);
  }

  #move(bio: Bio, finish: Finish): void {
    const position = bio.sector * SECTOR_BYTES;
    const views: Uint8Array[] = [];
    moveAll(
      bio.sizeBytes,
      (doneBytes, moved) => {
        collectBioViews(bio, doneBytes, views, VIEWS_MAX);
        if (bio.op === BioOp.Read) this.#files.readv(this.#fd, views, position + doneBytes, moved);
        else this.#files.writev(this.#fd, views, position + doneBytes, moved);
      },
      finish,
    );
  }

  #discard(bio: Bio, finish: Finish): void {
    this.#punch(bio, (status) => {
      finish(status === BioStatus.NotSupported ? BioStatus.Ok : status);
    });
  }

  #zero(bio: Bio, finish: Finish): void {
    const otherwise = (status: BioStatus): void => {
      if (status === BioStatus.NotSupported) this.#writeZeroes(bio, finish);
      else finish(status);
    };
    if ((bio.flags & BioFlag.NoUnmap) === 0) this.#punch(bio, otherwise);
    else this.#keepZeroed(bio, otherwise);
  }

  #keepZeroed(bio: Bio, finish: Finish): void {
    if (this.#holes?.zero === undefined) finish(BioStatus.NotSupported);
    else this.#holes.zero(this.#fd, rangeOf(bio), ended(finish));
  }

  #writeZeroes(bio: Bio, finish: Finish): void {
    const position = bio.sector * SECTOR_BYTES;
    moveAll(
      bio.sizeBytes,
      (doneBytes, moved) => {
        const views = [ZEROES.subarray(0, bio.sizeBytes - doneBytes)];
        this.#files.writev(this.#fd, views, position + doneBytes, moved);
      },
      finish,
    );
  }

  #punch(bio: Bio, finish: Finish): void {
    if (this.#holes === null) finish(BioStatus.NotSupported);
    else this.#holes.punch(this.#fd, rangeOf(bio), ended(finish));
  }
}

/** The vector that all that is left of a bio lies in; null: it takes several. */
function onlyVec(bio: Bio): BioVec | null {
  const vec = bio.vecs[bio.vecIndex];
  return vec !== undefined && vec.length - bio.vecDoneBytes >= bio.sizeBytes ? vec : null;
}

function rangeOf(bio: Bio): ByteRange {
  return { offsetBytes: bio.sector * SECTOR_BYTES, lengthBytes: bio.sizeBytes };
}

function ended(finish: Finish): (error: Error | null) => void {
  return (error) => {
    finish(error === null ? BioStatus.Ok : statusOfError(error));
  };
}
