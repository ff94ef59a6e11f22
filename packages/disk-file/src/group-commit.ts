import { BioStatus } from "@blkstack/bio";
import { errorCode, statusOfError } from "./errno.ts";

/** Hears whether everything acknowledged before its request is durable. */
export type Committed = (status: BioStatus) => void;

/** Starts one fdatasync. */
export type Sync = (done: (error: NodeJS.ErrnoException | null) => void) => void;

/**
 * Makes acknowledged writes durable, many requests with one fdatasync: with one that starts after
 * the request, for one that runs already may miss the latest write.
 *
 * The first fdatasync that fails is the last: the system may have dropped the dirty pages and
 * would call the next one a success. From then on every request fails.
 */
export class GroupCommit {
  readonly #sync: Sync;
  #waiting: Committed[] = [];
  #syncing: Committed[] = [];
  #isSyncing = false;
  #isDirty: boolean;
  #failure: BioStatus = BioStatus.Ok;
  #owed: BioStatus = BioStatus.Ok;

  /** `isDirty`: whether an earlier user may have left something that is not durable yet. */
  constructor(sync: Sync, isDirty: boolean) {
    this.#sync = sync;
    this.#isDirty = isDirty;
  }

  /**
   * To be called after each change of the file and before it is acknowledged: a mark set earlier
   * would be taken by an fdatasync that starts before the change.
   */
  markDirty(): void {
    this.#isDirty = true;
  }

  /** Has the next commit fail even if its fdatasync does not: a write met a failing disk. */
  owe(status: BioStatus): void {
    this.#owed = status;
  }

  /** Calls `committed` once, perhaps inside this call. */
  request(committed: Committed): void {
    this.#waiting.push(committed);
    this.#startIfIdle();
  }

  #startIfIdle(): void {
    if (this.#isSyncing || this.#waiting.length === 0) return;
    this.#syncing = this.#waiting;
    this.#waiting = [];
    if (this.#failure !== BioStatus.Ok || !this.#isDirty) {
      this.#finish();
      return;
    }
    this.#isSyncing = true;
    this.#isDirty = false;
    this.#sync(this.#synced);
  }

  readonly #synced = (error: NodeJS.ErrnoException | null): void => {
    if (error !== null && errorCode(error) === "EINTR") {
      this.#sync(this.#synced);
      return;
    }
    if (error !== null) this.#failure = statusOfError(error);
    this.#isSyncing = false;
    this.#finish();
    // Whoever was told may have asked again, and so begun the next one.
    this.#startIfIdle();
  };

  #finish(): void {
    const status = this.#failure === BioStatus.Ok ? this.#owed : this.#failure;
    this.#owed = BioStatus.Ok;
    const committed = this.#syncing;
    this.#syncing = [];
    for (const tell of committed) tell(status);
  }
}
