import type { Bytes } from "@blkstack/bio";

export interface ByteRange {
  readonly offsetBytes: Bytes;
  readonly lengthBytes: Bytes;
}

/** How a change of a range ended: with an error as `node:fs` makes them, or well. */
export type RangeDone = (error: NodeJS.ErrnoException | null) => void;

/**
 * Calls of the system on open files that `node:fs` does not have. Those that answer a number answer
 * what the system does, or a negative errno; none of them throws for what a file cannot do.
 */
export interface FileCalls {
  /**
   * Reads as `readSync` does, but only what needs no waiting for a disk: EAGAIN (-11) when the
   * beginning is not in the page cache, fewer bytes when the rest is not. EOPNOTSUPP (-95) on file
   * systems that cannot tell. What lies behind the end of the file is EAGAIN, too.
   *
   * Waits: never. Throws a RangeError when the memory is not so long.
   */
  readCached(fd: number, bytes: Uint8Array, at: number, length: Bytes, position: Bytes): number;
  /** The same into many pieces of memory, 1024 at most. */
  readvCached(fd: number, views: readonly Uint8Array[], position: Bytes): number;
  /**
   * Writes as `writeSync` does, at three quarters of its cost for a block of 4 KiB. Answers how many bytes, which may
   * be fewer, or a negative errno.
   *
   * Waits: as `writeSync`. Throws a RangeError when the memory is not so long.
   */
  write(fd: number, bytes: Uint8Array, at: number, length: Bytes, position: Bytes): number;
  /**
   * Has the system begin to read a range into the page cache: advice, so nobody hears whether it did.
   *
   * Waits: not for the data; perhaps for the file system to know where it lies.
   */
  readAhead(fd: number, range: ByteRange): void;
  /**
   * Makes the range a hole that reads as zeroes; the file keeps its size. EOPNOTSUPP: this file
   * cannot have one. On a thread.
   */
  punch(fd: number, range: ByteRange, done: RangeDone): void;
  /**
   * Makes the range read as zeroes and keeps space for it; the file keeps its size. EOPNOTSUPP: this
   * file can only be written to. On a thread.
   */
  zero(fd: number, range: ByteRange, done: RangeDone): void;
  /** Where data begins, at `position` or behind it; ENXIO (-6): nowhere. Waits: for the file system. */
  findData(fd: number, position: Bytes): number;
  /** Where a hole begins, at `position` or behind it: the end of a file is one. Waits: as `findData`. */
  findHole(fd: number, position: Bytes): number;
}
