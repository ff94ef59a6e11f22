import type { BioStatus, Sectors } from "@blkstack/bio";
import type { Awaitable, Task } from "@blkstack/task";
import type { StoreUsage } from "./cow-layout.ts";

/** Whoever waits for an exception to be safe: a copied chunk that others wait for. */
export interface CommitListener {
  /**
   * `isDurable`: the exception will be there after a crash; when not, the snapshot is lost.
   *
   * Called in the order of the commits, each when the one before is done. Waits: if it must.
   */
  onCommitted(isDurable: boolean, task: Task): Awaitable<void>;
}

/** The newest exceptions, as many of them as lie in a row: a step of a merge. */
export interface MergeRun {
  /** The last of the old chunks; the others are right before it. */
  readonly lastOldChunk: number;
  readonly lastNewChunk: number;
  readonly count: number;
}

/** What `load` found. */
export const LoadResult = {
  Usable: 0,
  /** A snapshot that was marked as invalid: it has no exceptions, and all of its I/O must fail. */
  Invalid: 1,
} as const;
export type LoadResult = (typeof LoadResult)[keyof typeof LoadResult];

/**
 * Decides where on the COW device chunks go, and remembers it, durably or not.
 *
 * The map of exceptions is not here: a store tells what it loads, and is told what is new. All but
 * `prepare` and the questions may wait, so none of it may be called from `map`.
 */
export interface ExceptionStore {
  /** What a table prints for it. */
  readonly type: "P" | "PO" | "N";
  /** A snapshot write that finds no space leaves the snapshot readable. */
  readonly canOverflow: boolean;
  readonly canMerge: boolean;
  /** After `load`: what the COW device says, whatever the table said. */
  readonly chunkSectors: Sectors;
  /** False from the first failure on, for ever. */
  readonly isValid: boolean;

  /**
   * Reads what is there, or makes it; `onException` is told each exception in the order in which
   * they were made, also those that name an old chunk again.
   *
   * Waits: for the device. Throws a `BlockError` for what cannot be loaded.
   */
  load(
    task: Task,
    onException: (oldChunk: number, newChunk: number) => void,
  ): Awaitable<LoadResult>;

  /**
   * Hands out the next chunk, or -1 when the device is full. Each one must be committed, also after
   * a failed copy. Waits: never.
   */
  prepare(): number;

  /**
   * Takes in an exception whose data is on the COW device (`isCopied`) or will never be. The order
   * must be that of `prepare`, and only one call may be under way.
   *
   * Writes once for all that were prepared meanwhile: it is the last of them, or the one that fills
   * an area, that waits for the device and then has the listeners called.
   */
  commit(exception: PreparedException, listener: CommitListener, task: Task): Awaitable<void>;

  /**
   * The next step of a merge, null when nothing is left, or how the device failed.
   * Not beside `commit`. Waits: for the device.
   */
  prepareMerge(task: Task): Awaitable<MergeRun | BioStatus | null>;

  /**
   * Forgets the newest `count` exceptions, durably; on failure they are still there.
   * Not beside `commit`. Waits: for the device.
   */
  commitMerge(count: number, task: Task): Awaitable<BioStatus>;

  /** Marks the snapshot as invalid, durably when it answers Ok. Waits: for the device. */
  drop(task: Task): Awaitable<BioStatus>;

  /** Waits: never. */
  usage(): StoreUsage;
  /** `USED/TOTAL METADATA` in sectors. Waits: never. */
  statusText(): string;
  /** How many more exceptions the device can take as it is: a warning before it is full. */
  remaining(): number;
  /** Whether nothing in use would be lost if the device had only so many sectors. */
  canShrinkTo(sectors: Sectors): boolean;
}

/** An exception on its way into the store. */
export interface PreparedException {
  readonly oldChunk: number;
  /** What `prepare` answered. */
  readonly newChunk: number;
  /** Whether the chunk's data reached the COW device. */
  readonly isCopied: boolean;
}
