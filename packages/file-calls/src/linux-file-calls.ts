import type { Bytes } from "@blkstack/bio";
import type { ByteRange, FileCalls, RangeDone } from "./file-calls.ts";
import type { Ffi } from "./ffi.ts";
import { checkPiece, Iovec } from "./iovec.ts";
import { type RangeCall, RangeCalls } from "./range-calls.ts";

type Preadv2 = (
  ...args: [fd: number, iovec: number, count: number, position: number, flags: number]
) => number;
type Pwrite = (fd: number, address: number, length: number, position: number) => number;
type Advise = (fd: number, offset: number, length: number, advice: number) => number;
type Seek = (fd: number, position: number, whence: number) => number | bigint;

const RWF_NOWAIT = 8;
const WILL_NEED = 3;
const SEEK_DATA = 3;
const SEEK_HOLE = 4;
const KEEP_SIZE = 1;
const PUNCH_HOLE = 2;
const ZERO_RANGE = 16;
const EAGAIN = 11;

/** The calls of a C library, through koffi: about as fast as those of `node:fs`. */
export class LinuxFileCalls implements FileCalls {
  readonly #preadv2: Preadv2;
  readonly #pwrite: Pwrite;
  readonly #advise: Advise;
  readonly #seek: Seek;
  readonly #ranges: RangeCalls;
  readonly #ffi: Ffi;
  readonly #iovec: Iovec;

  /** Throws when the C library lacks a call. */
  constructor(ffi: Ffi) {
    const library = ffi.load(null);
    this.#preadv2 = library.func(
      "int64_t preadv2(int fd, uintptr_t iovec, int count, int64_t position, int flags)",
    ) as Preadv2;
    this.#pwrite = library.func(
      "int64_t pwrite(int fd, uintptr_t memory, size_t length, int64_t position)",
    ) as Pwrite;
    this.#advise = library.func(
      "int posix_fadvise(int fd, int64_t offset, int64_t length, int advice)",
    ) as Advise;
    this.#seek = library.func("int64_t lseek(int fd, int64_t position, int whence)") as Seek;
    this.#ranges = new RangeCalls(
      library.func("int fallocate(int fd, int mode, int64_t offset, int64_t length)") as RangeCall,
      () => ffi.errno(),
    );
    this.#ffi = ffi;
    this.#iovec = new Iovec(ffi);
  }

  readCached(...args: Parameters<FileCalls["readCached"]>): number {
    const [fd, bytes, at, length, position] = args;
    checkOffset(position);
    this.#iovec.set(bytes, at, length);
    return this.#read(fd, 1, position);
  }

  readvCached(fd: number, views: readonly Uint8Array[], position: Bytes): number {
    checkOffset(position);
    this.#iovec.setViews(views);
    return this.#read(fd, views.length, position);
  }

  write(...args: Parameters<FileCalls["write"]>): number {
    const [fd, bytes, at, length, position] = args;
    checkOffset(position);
    checkPiece(bytes, at, length);
    const written = this.#pwrite(fd, Number(this.#ffi.address(bytes)) + at, length, position);
    return written < 0 ? -this.#ffi.errno() : written;
  }

  readAhead(fd: number, { offsetBytes, lengthBytes }: ByteRange): void {
    checkOffset(offsetBytes);
    checkOffset(lengthBytes);
    this.#advise(fd, offsetBytes, lengthBytes, WILL_NEED);
  }

  punch(fd: number, range: ByteRange, done: RangeDone): void {
    this.#ranges.start(fd, PUNCH_HOLE | KEEP_SIZE, range, done);
  }

  zero(fd: number, range: ByteRange, done: RangeDone): void {
    this.#ranges.start(fd, ZERO_RANGE | KEEP_SIZE, range, done);
  }

  findData(fd: number, position: Bytes): number {
    return this.#find(fd, position, SEEK_DATA);
  }

  findHole(fd: number, position: Bytes): number {
    return this.#find(fd, position, SEEK_HOLE);
  }

  #read(fd: number, count: number, position: Bytes): number {
    const moved = this.#preadv2(fd, this.#iovec.address, count, position, RWF_NOWAIT);
    if (moved > 0) return moved;
    // Some kernels (5.9 and 5.10) say 0 for what is not in the page cache.
    return moved === 0 ? -EAGAIN : -this.#ffi.errno();
  }

  #find(fd: number, position: Bytes, whence: number): number {
    checkOffset(position);
    const found = Number(this.#seek(fd, position, whence));
    return found >= 0 ? found : -this.#ffi.errno();
  }
}

function checkOffset(position: Bytes): void {
  if (Number.isSafeInteger(position) && position >= 0) return;
  throw new RangeError(`an offset of ${String(position)} in a file; give a whole number from 0 on`);
}
