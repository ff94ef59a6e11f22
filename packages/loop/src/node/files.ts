import * as fs from "node:fs";
import type { ByteRange, RangeDone } from "@blkstack/file-calls";

/** How an asynchronous call of `Files` ended: with an error, or with the bytes that it moved. */
type Moved = (error: NodeJS.ErrnoException | null, count: number) => void;

/** The part of `node:fs` that serves commands. Another one may count, delay or fail calls. */
export interface Files {
  readvSync(fd: number, views: readonly Uint8Array[], position: number): number;
  writevSync(fd: number, views: readonly Uint8Array[], position: number): number;
  readv(fd: number, views: readonly Uint8Array[], position: number, done: Moved): void;
  writev(fd: number, views: readonly Uint8Array[], position: number, done: Moved): void;
  fdatasync(fd: number, done: (error: NodeJS.ErrnoException | null) => void): void;
}

/** Gives ranges of a file back to its filesystem, which Node alone cannot. */
export interface HolePuncher {
  /**
   * Makes the range a hole that reads as zeroes, keeping the size of the file. EOPNOTSUPP means
   * that this file cannot have one.
   */
  punch(fd: number, range: ByteRange, done: RangeDone): void;
  /** Makes the range read as zeroes and keeps space for it. Without, or with EOPNOTSUPP, they are written. */
  zero?(fd: number, range: ByteRange, done: RangeDone): void;
}

export const NODE_FILES: Files = fs;
