import type { Bio, BioDevice, Sectors } from "@blkstack/bio";
import type { Awaitable, Task } from "@blkstack/task";
import type { Extent } from "./extent.ts";
import type { RequestQueue } from "./request-queue.ts";

/**
 * Anything that takes bios: a disk, or a device stacked upon others. The two cannot be told apart
 * from above, and that is what makes them stack.
 */
export interface BlockDevice extends BioDevice {
  /** What people call it; unique among the devices of a program. */
  readonly name: string;
  /** 0 means unknown: then nothing is checked against the end of the device. */
  readonly sizeSectors: Sectors;
  /** Writes end with `BioStatus.ReadOnly` on the way down; the driver does not see them. */
  readonly isReadOnly: boolean;
  /** Limits of what one bio may ask, and the gate that bios pass. */
  readonly queue: RequestQueue;
  /** Parts of the device that bios may be addressed to by number, from 1; absent when there are none. */
  readonly partitions?: readonly Partition[];

  /**
   * The driver. Takes the bio, which it will end, now or later; may submit others below.
   *
   * Call it through a `Submitter` only, which keeps the stack flat and checks the bio first: the
   * driver may rely on the bio being addressed to the whole device, lying within it, being
   * supported, and keeping to `queue.limits`.
   *
   * Every bio is ended exactly once, with `bioEndio` or `bioError`; to throw is a defect. A bio that
   * it submits is started only after it has returned, so it must not wait for one.
   * Waits: as the driver must, for memory, locks or its queue; never for a NOWAIT bio.
   */
  submitBio(bio: Bio, task: Task): Awaitable<void>;
  /**
   * Tells, if the device can, what it knows of its sectors from `sector` on without reading them:
   * whether they are holes, or zeroes. Writes that have ended are known of; whoever cannot be sure
   * answers data. Ask through the function `findExtent`. A device that must ask others leaves its
   * question with `extent.inquiry`; whoever passes the question on to a lower device hands on that, too.
   *
   * Waits: never.
   */
  findExtent?(sector: Sectors, extent: Extent): void;
}

/** A part of a device with sector numbers of its own. Bios are moved to the whole device at once. */
export interface Partition {
  /** On the whole device. */
  readonly startSector: Sectors;
  readonly sizeSectors: Sectors;
}

/** The way down. `@blkstack/make-request` has the one to use; whoever submits is given it. */
export interface Submitter {
  /**
   * Submits a bio to `bio.device`. The outcome comes through `bio.endIo`, perhaps before this
   * returns; the caller must not touch the bio afterwards.
   *
   * Process context only, for the driver may sleep: an `endIo` hands what it wants to submit to a
   * work queue. The bio must be on no list.
   *
   * Waits: until the driver has taken the bio; not at all when called from inside a driver, for
   * then the bio is only parked on the task.
   */
  submitBio(bio: Bio, task: Task): Awaitable<void>;
  /**
   * Takes now what the way to a device needs when memory is short. Tell it of each device that you
   * make or are given, before its first bio; again does nothing. Throws a BlockError (ENOMEM).
   *
   * Waits: never.
   */
  addDevice?(device: BlockDevice): void;
  /**
   * The device that you made has gone, and so has every bio that was sent to it: gives up what
   * `addDevice` took. Waits: as the ends of pools do.
   */
  removeDevice?(device: BlockDevice, task: Task): Awaitable<void>;
}

/** The device that a bio is addressed to. Whoever submits a bio has put a block device there. */
export function deviceOf(bio: Bio): BlockDevice {
  return bio.device as BlockDevice;
}
