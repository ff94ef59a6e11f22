import { close, fstatSync } from "node:fs";
import { promisify } from "node:util";
import type { Bytes } from "@blkstack/bio";
import { BlockError } from "@blkstack/block";
import type { FileCalls } from "@blkstack/file-calls";
import type { Awaitable } from "@blkstack/task";
import { type BackingFile, EOPNOTSUPP, type FileRange } from "../backing-file.ts";
import type { Files, HolePuncher } from "./files.ts";

/** What zeroes are written from, by everybody: never written to. */
const ZEROES = new Uint8Array(1024 * 1024);

const EIO = -5;
const EINTR = -4;
const EAGAIN = -11;

/** An open file, and how it is to be used. */
export interface NodeFileParts {
  readonly fd: number;
  readonly path: string;
  readonly kind: "regular" | "block";
  /** Of a block device, whose size Node cannot ask for. */
  readonly sizeBytes?: Bytes;
  readonly isReadOnly: boolean;
  /** Reads and writes up to this size are done inside the call, which is cheaper than a thread. */
  readonly syncLimitBytes: Bytes;
  readonly files: Files;
  readonly calls: FileCalls | null;
  readonly holes: HolePuncher | null;
}

/** The most memory ranges that one system call takes (IOV_MAX). */
const VIEWS_MAX = 1024;

const closeFd = promisify(close);

/**
 * A file of the system.
 *
 * The first fdatasync that fails is the last: the system may have dropped what it could not write
 * and would call the next one a success. From then on every sync fails.
 */
export class NodeFile implements BackingFile {
  readonly label: string;
  readonly path: string;
  readonly kind: "regular" | "block";
  readonly isReadOnly: boolean;
  readonly punchHole?: (range: FileRange) => Promise<number>;
  readonly #parts: NodeFileParts;
  readonly #files: Files;
  /** Null: nothing tells what is in the page cache. */
  #cached: FileCalls | null;
  #syncFailure = 0;
  #lastSync: Promise<number> = Promise.resolve(0);
  #closed: Promise<void> | null = null;

  constructor(parts: NodeFileParts) {
    const { path, kind, isReadOnly, holes, files, calls } = parts;
    this.label = path;
    this.path = path;
    this.kind = kind;
    this.isReadOnly = isReadOnly;
    this.#parts = parts;
    this.#files = files;
    this.#cached = calls;
    if (holes !== null) this.punchHole = (range) => this.#punch(holes, range);
  }

  get sizeBytes(): Bytes {
    return this.#parts.sizeBytes ?? fstatSync(this.#parts.fd).size;
  }

  /** Waits: for a thread, if it is a lot, or not in the page cache. */
  read(views: readonly Uint8Array[], offsetBytes: Bytes): Awaitable<number> {
    const { fd } = this.#parts;
    if (this.#isLittle(views)) {
      const count = this.#readCached(views, offsetBytes);
      if (count > 0) return count;
      if (count !== EAGAIN) return attempt(() => this.#files.readvSync(fd, views, offsetBytes));
    }
    return moved((done) => {
      this.#files.readv(fd, views, offsetBytes, done);
    });
  }

  /** Waits: for a thread, if it is a lot. */
  write(views: readonly Uint8Array[], offsetBytes: Bytes): Awaitable<number> {
    const { fd } = this.#parts;
    if (this.#isLittle(views)) return attempt(() => this.#files.writevSync(fd, views, offsetBytes));
    return moved((done) => {
      this.#files.writev(fd, views, offsetBytes, done);
    });
  }

  /** Waits: until the system says that all is durable. */
  sync(): Promise<number> {
    // One after the other: of two at once only one would hear of a failure.
    this.#lastSync = this.#lastSync.then(() => this.#syncNow());
    return this.#lastSync;
  }

  /** Punches a hole, if there may be one, or has the system zero; writes what neither can do. Waits: for threads. */
  async zeroRange(range: FileRange, mayFree: boolean): Promise<number> {
    const endBytes = range.offsetBytes + range.lengthBytes;
    if (mayFree && this.punchHole !== undefined && endBytes <= this.sizeBytes) {
      const outcome = await this.punchHole(range);
      if (outcome !== EOPNOTSUPP) return outcome;
    }
    if (!mayFree && this.#parts.holes?.zero !== undefined && endBytes <= this.sizeBytes) {
      const outcome = await this.#zero(this.#parts.holes, range);
      if (outcome !== EOPNOTSUPP) return outcome;
    }
    for (let at = range.offsetBytes; at < endBytes;) {
      const position = at;
      const views = [ZEROES.subarray(0, endBytes - at)];
      const count = await moved((done) => {
        this.#files.writev(this.#parts.fd, views, position, done);
      });
      if (count <= 0) return count === 0 ? EIO : count;
      at += count;
    }
    return 0;
  }

  /**
   * Makes durable what was written and closes the file. May be called again.
   *
   * Throws a BlockError, `BLK_DEVICE`, EIO, when acknowledged writes may not be durable.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #syncNow(): Promise<number> {
    if (this.#syncFailure === 0 && !this.isReadOnly) {
      this.#syncFailure = await finished((done) => {
        this.#files.fdatasync(this.#parts.fd, done);
      });
    }
    return this.#syncFailure;
  }

  async #close(): Promise<void> {
    const outcome = await this.sync();
    await closeFd(this.#parts.fd);
    if (outcome === 0) return;
    const message = `${this.path}: what was written last may not be durable`;
    throw new BlockError("BLK_DEVICE", "EIO", message);
  }

  #isLittle(views: readonly Uint8Array[]): boolean {
    let left = this.#parts.syncLimitBytes;
    for (const { length } of views) left -= length;
    return left >= 0;
  }

  /** What of the views is in the page cache, or a negative errno: EAGAIN when a thread is to read. */
  #readCached(views: readonly Uint8Array[], offsetBytes: Bytes): number {
    const calls = this.#cached;
    if (calls === null || views.length > VIEWS_MAX) return 0;
    const count = calls.readvCached(this.#parts.fd, views, offsetBytes);
    // This file system cannot tell.
    if (count < 0 && count !== EAGAIN) this.#cached = null;
    return count;
  }

  #zero(holes: HolePuncher, range: FileRange): Promise<number> {
    return finished((done) => {
      holes.zero?.(this.#parts.fd, range, done);
    });
  }

  #punch(holes: HolePuncher, range: FileRange): Promise<number> {
    return finished((done) => {
      holes.punch(this.#parts.fd, range, done);
    });
  }
}

/** Makes a call until it is not interrupted; answers its count, or the errno that it threw. */
function attempt(call: () => number): number {
  for (;;) {
    try {
      return call();
    } catch (error) {
      const errno = errnoOf(error);
      if (errno !== EINTR) return errno;
    }
  }
}

/** As `attempt`, for a call on a thread. */
function moved(
  call: (done: (error: Error | null, count: number) => void) => void,
): Promise<number> {
  return new Promise((resolve) => {
    const done = (error: Error | null, count: number): void => {
      const errno = error === null ? 0 : errnoOf(error);
      if (errno === EINTR) call(done);
      else resolve(error === null ? count : errno);
    };
    call(done);
  });
}

/** As `moved`, for a call that counts nothing. */
function finished(call: (done: (error: Error | null) => void) => void): Promise<number> {
  return moved((done) => {
    call((error) => {
      done(error, 0);
    });
  });
}

/** Node tells the errno as the system did, negative. */
function errnoOf(error: unknown): number {
  const errno = error instanceof Error && "errno" in error ? error.errno : undefined;
  return typeof errno === "number" && errno < 0 ? errno : EIO;
}
