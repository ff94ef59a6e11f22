import { type Bio, BioList } from "@blkstack/bio";
import type { CopyListener } from "@blkstack/kcopyd";
import type { CommitListener, PreparedException } from "./exception-store.ts";
import type { Awaitable, Task } from "@blkstack/task";

/** The snapshot, to the copies that it has going. */
export interface CopyOwner {
  /** The data of the chunk is in the store, or never will be. On the task of the copier. */
  copyEnded(pending: PendingException, task: Task): Awaitable<void>;
  /** The exception is in the store for good, or the snapshot is lost. On the task of the copier. */
  committed(pending: PendingException, isDurable: boolean, task: Task): Awaitable<void>;
}

/** A chunk that is being copied: an exception on its way into the table. */
export class PendingException implements CopyListener, CommitListener, PreparedException {
  oldChunk = 0;
  newChunk = 0;
  /** Its place in the order in which exceptions were given their chunks, and are committed. */
  sequence = 0;
  isStarted = false;
  isCopied = false;
  /** Writes to the origin that wait for the old data to be safe. */
  readonly originBios: BioList = new BioList();
  /** Writes to the snapshot that wait for the chunk to be in the store. */
  readonly snapshotBios: BioList = new BioList();
  /** A write of the whole chunk, which is its own copy; ended, and kept until the commit. */
  fullBio: Bio | null = null;
  /** Whether that write ends durable; a disk takes the flag off the bio. */
  isFullBioFua = false;
  readonly #owner: CopyOwner;

  constructor(owner: CopyOwner) {
    this.#owner = owner;
  }

  get label(): string {
    return `exception for chunk ${String(this.oldChunk)}`;
  }

  /** As one that was never used. */
  begin(oldChunk: number, newChunk: number, sequence: number): void {
    this.oldChunk = oldChunk;
    this.newChunk = newChunk;
    this.sequence = sequence;
    this.isStarted = false;
    this.isCopied = false;
    this.fullBio = null;
    this.isFullBioFua = false;
  }

  copyEnded(readErrors: number, writeErrors: number, task: Task): Awaitable<void> {
    this.isCopied = (readErrors | writeErrors) === 0;
    return this.#owner.copyEnded(this, task);
  }

  onCommitted(isDurable: boolean, task: Task): Awaitable<void> {
    return this.#owner.committed(this, isDurable, task);
  }
}
