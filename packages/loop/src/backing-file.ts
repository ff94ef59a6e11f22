import type { Bytes } from "@blkstack/bio";
import type { BlockDevice } from "@blkstack/block";
import type { Awaitable, Gfp, Task } from "@blkstack/task";

/** A part of a file. */
export interface FileRange {
  readonly offsetBytes: Bytes;
  readonly lengthBytes: Bytes;
}

/**
 * What a loop device keeps its sectors in. Every call is made by a worker of the device, which may
 * wait there as long as the filesystem makes it.
 *
 * Failures are answered, not thrown: as a negative errno, as system calls have it (-28 for ENOSPC).
 */
export interface BackingFile {
  /** What people call it: `"disk.img" of X`. */
  readonly label: string;
  /** `other`: a directory, a pipe, whatever has no bytes in places; no loop device takes it. */
  readonly kind: "regular" | "block" | "other";
  /** How long it is now. Writes behind the end make a regular file longer. */
  readonly sizeBytes: Bytes;
  readonly isReadOnly: boolean;
  /** Reads and writes begin and end at multiples of this; absent: anywhere. */
  readonly blockBytes?: Bytes;
  /** Of a file of kind `block`: the device that it is. */
  readonly device?: BlockDevice;
  /**
   * What the file allocates the pages for its data with. A loop device narrows it while it is bound;
   * absent: the file takes no such pages.
   */
  pageCacheGfp?: Gfp;

  /** Answers how many bytes were read, perhaps fewer than there is room for; 0 at the end. Waits: may. */
  read(views: readonly Uint8Array[], offsetBytes: Bytes, task: Task): Awaitable<number>;
  /** Answers how many bytes were written, perhaps not all. Waits: may. */
  write(views: readonly Uint8Array[], offsetBytes: Bytes, task: Task): Awaitable<number>;
  /** Makes durable every write that has returned; answers 0. Waits: may. */
  sync(task: Task): Awaitable<number>;
  /**
   * Gives a range back, which then reads as zeroes; the size stays. Answers 0, or -95 (EOPNOTSUPP)
   * where that cannot be; absent: it never can. Waits: may.
   */
  punchHole?(range: FileRange, task: Task): Awaitable<number>;
  /**
   * Has a range read as zeroes, making the file longer if need be; `mayFree`: it may become a hole.
   * Answers as `punchHole`. Waits: may.
   */
  zeroRange?(range: FileRange, mayFree: boolean, task: Task): Awaitable<number>;
}

/** The errno of what a file cannot do at all. */
export const EOPNOTSUPP = -95;
