import * as fs from "node:fs";

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

/** Gives ranges of a file back to its filesystem; Node alone cannot. */
export interface HolePuncher {
  /**
   * Makes the range a hole that reads as zeroes, keeping the size of the file. EOPNOTSUPP means
   * that this file cannot have one.
   */
  punch(
    fd: number,
    range: { readonly offsetBytes: number; readonly lengthBytes: number },
    done: (error: NodeJS.ErrnoException | null) => void,
  ): void;
}

export const NODE_FILES: Files = fs;
