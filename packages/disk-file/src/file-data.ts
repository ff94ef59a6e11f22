/// <reference lib="es2024.arraybuffer" />
import {
  type Bio,
  BioFlag,
  BioOp,
  BioStatus,
  type Bytes,
  collectBioViews,
  SECTOR_BYTES,
} from "@blkstack/bio";
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

type Finish = (status: BioStatus) => void;

/** Moves the data of bios from and to one open file. Knows nothing of durability. */
export class FileData {
  readonly #files: Files;
  readonly #fd: number;
  readonly #holes: HolePuncher | null;
  /** For `moveNow`, which is done with it when it returns. */
  readonly #views: Uint8Array[] = [];

  constructor(files: Files, fd: number, holes: HolePuncher | null) {
    this.#files = files;
    this.#fd = fd;
    this.#holes = holes;
  }

  /** Whether nothing is to be done: a discard is a wish, and without holes the data stays. */
  ignores(bio: Bio): boolean {
    return bio.op === BioOp.Discard && this.#holes === null;
  }

  /** Reads or writes inside this call: no thread, no closure, no memory for the usual bio. */
  moveNow(bio: Bio): BioStatus {
    let doneBytes = 0;
    let retries = 0;
    for (;;) {
      try {
        const count = this.#callNow(bio, doneBytes);
        doneBytes += count;
        if (doneBytes === bio.sizeBytes) return BioStatus.Ok;
        // The file is shorter than it was when it was opened: somebody cut it.
        if (count === 0) return BioStatus.IoError;
      } catch (error) {
        if (!mayRetry(error, retries)) return statusOfError(error);
        retries += 1;
      }
    }
  }

  /** Serves any operation with data or a range, on libuv's threads. */
  start(bio: Bio, finish: Finish): void {
    if (bio.op === BioOp.Discard) this.#discard(bio, finish);
    else if (bio.op === BioOp.WriteZeroes) this.#zero(bio, finish);
    else this.#move(bio, finish);
  }

  #callNow(bio: Bio, doneBytes: Bytes): number {
    const position = bio.sector * SECTOR_BYTES + doneBytes;
    const vec = bio.vecs[bio.vecIndex];
    const skip = bio.vecDoneBytes;
    if (doneBytes === 0 && vec !== undefined && vec.length - skip >= bio.sizeBytes) {
      const { bytes } = vec.page;
      return bio.op === BioOp.Read
        ? this.#files.readSync(this.#fd, bytes, vec.offset + skip, bio.sizeBytes, position)
        : this.#files.writeSync(this.#fd, bytes, vec.offset + skip, bio.sizeBytes, position);
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
    if (this.#holes === null || (bio.flags & BioFlag.NoUnmap) !== 0) {
      this.#writeZeroes(bio, finish);
      return;
    }
    this.#punch(bio, (status) => {
      if (status === BioStatus.NotSupported) this.#writeZeroes(bio, finish);
      else finish(status);
    });
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
    const range = { offsetBytes: bio.sector * SECTOR_BYTES, lengthBytes: bio.sizeBytes };
    this.#holes?.punch(this.#fd, range, (error) => {
      finish(error === null ? BioStatus.Ok : statusOfError(error));
    });
  }
}
