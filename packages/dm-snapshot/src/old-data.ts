import type { Bio, Sectors } from "@blkstack/bio";
import { type Awaitable, isPending, type Task } from "@blkstack/task";
import type { PendingException } from "./pending-exception.ts";
import type { Snapshot } from "./snapshot.ts";

/** Whether the old data of a chunk is safe, or a write to the origin has to wait for it. */
export const Keeping = { Done: 0, Waits: 1 } as const;
export type Keeping = (typeof Keeping)[keyof typeof Keeping];

/** What one snapshot does about writes to its origin: it keeps what they are about to replace. */
export class OldData {
  readonly #snapshot: Snapshot;
  /** Writes to the origin that are in the middle of `keep`. */
  #keepers = 0;

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot;
  }

  /** Whether no write to the origin is about to begin a copy. */
  get isIdle(): boolean {
    return this.#keepers === 0;
  }

  /** Whether a write to the origin at this sector is nothing to this snapshot. Waits: never. */
  isKept(sector: Sectors): boolean {
    const snapshot = this.#snapshot;
    if (!this.#isConcernedBy(sector)) return true;
    if (!snapshot.isValid) return !snapshot.invalidation.isMarking;
    if (!snapshot.lock.isOpenToMaps) return false;
    const chunk = snapshot.chunkOf(sector);
    return !snapshot.pending.has(chunk) && snapshot.exceptions.lookup(chunk) >= 0;
  }

  /**
   * Sees to it that the chunk of a sector of the origin is kept before it is written. When that
   * takes time `bio`, if there is one, is put aside, and comes back through the origin.
   *
   * Waits: for memory and for the lock.
   */
  keep(sector: Sectors, bio: Bio | null, task: Task): Awaitable<Keeping> {
    if (!this.#isConcernedBy(sector)) return Keeping.Done;
    const chunk = this.#snapshot.chunkOf(sector);
    const locked = this.#snapshot.lock.enterMap(task);
    const keeping =
      locked === undefined
        ? this.#keepLocked(chunk, bio, task)
        : locked.then(() => this.#keepLocked(chunk, bio, task));
    return isPending(keeping) ? this.#countKeeper(keeping) : keeping;
  }

  #isConcernedBy(sector: Sectors): boolean {
    const { isActive, isMerging, endSector } = this.#snapshot;
    return isActive && !isMerging && sector < endSector;
  }

  /** While it waits its snapshot must not go away. */
  async #countKeeper(keeping: Promise<Keeping>): Promise<Keeping> {
    this.#keepers += 1;
    const kept = await keeping;
    this.#keepers -= 1;
    this.#snapshot.becameQuieter();
    return kept;
  }

  /** Lets go of the lock. */
  #keepLocked(chunk: number, bio: Bio | null, task: Task): Awaitable<Keeping> {
    const snapshot = this.#snapshot;
    // What is pending comes first: between the two the chunk is in both tables, and some still
    // read the origin.
    const pending = this.#pendingOf(chunk);
    const isNew = snapshot.isValid && pending === undefined && snapshot.lookup(chunk) < 0;
    if (!isNew) return this.#waitFor(pending, bio, task);
    const begun = snapshot.pending.begin(chunk, task);
    if (isPending(begun)) return begun.then(() => this.#keepBegun(chunk, bio, task));
    return this.#keepBegun(chunk, bio, task);
  }

  /** None: a write need not wait for it. */
  #pendingOf(chunk: number): PendingException | undefined {
    const { pending, policies } = this.#snapshot;
    const found = pending.of(chunk);
    if (found === undefined || policies.originWaits === "while-pending") return found;
    const hasException = this.#snapshot.lookup(chunk) >= 0;
    return policies.originWaits({ hasException }) ? found : undefined;
  }

  /** Lets go of the lock. */
  #keepBegun(chunk: number, bio: Bio | null, task: Task): Awaitable<Keeping> {
    const snapshot = this.#snapshot;
    const pending = snapshot.pending.of(chunk);
    if (pending === undefined && snapshot.isValid && snapshot.lookup(chunk) < 0) {
      snapshot.invalidate("Unable to allocate exception.");
    }
    if (pending?.isStarted === false && bio !== null) {
      snapshot.counters.writtenSectors += bio.sectors;
    }
    return this.#waitFor(pending, bio, task);
  }

  /** Lets go of the lock. */
  #waitFor(pending: PendingException | undefined, bio: Bio | null, task: Task): Awaitable<Keeping> {
    const snapshot = this.#snapshot;
    snapshot.lock.leaveMap(task);
    if (pending === undefined) return this.#keptOrMarked(bio);
    if (bio !== null) pending.originBios.add(bio);
    if (pending.isStarted) return Keeping.Waits;
    const started = snapshot.pending.startCopy(pending, task);
    return isPending(started) ? started.then(() => Keeping.Waits) : Keeping.Waits;
  }

  #keptOrMarked(bio: Bio | null): Keeping {
    const { isValid, invalidation } = this.#snapshot;
    if (isValid || !invalidation.isMarking) return Keeping.Done;
    if (bio !== null) invalidation.hold(bio);
    return Keeping.Waits;
  }
}
