import {
  type Bio,
  bioEndio,
  bioError,
  BioFlag,
  BioStatus,
  type Bytes,
  invariant,
} from "@blkstack/bio";
import type { PreparedCallback } from "@blkstack/kcopyd";
import { type Memory, Slab } from "@blkstack/memory";
import { Mempool } from "@blkstack/mempool";
import { type Awaitable, GFP_NOIO, isPending, type Task } from "@blkstack/task";
import { CommitOrder } from "./commit-order.ts";
import { type CopyOwner, PendingException } from "./pending-exception.ts";
import { type SettlePolicy, settlePolicyOf } from "./policies.ts";
import type { Snapshot } from "./snapshot.ts";
import { WriteBehind } from "./write-behind.ts";

/** What one takes, about: it is for a budget. */
const PENDING_BYTES: Bytes = 256;

/**
 * The chunks of one snapshot that are on their way into the store: each is given its place there,
 * copied or written as a whole, committed in the order of the places, and then let go of, with all
 * who have waited for it.
 */
export class PendingExceptions implements CopyOwner {
  /** Null: the snapshot's own writes end when their exceptions are committed. */
  readonly behind: WriteBehind | null;
  readonly #snapshot: Snapshot;
  readonly #byChunk = new Map<number, PendingException>();
  readonly #pool: Mempool<PendingException>;
  readonly #order: CommitOrder;
  readonly #settle: SettlePolicy;

  constructor(snapshot: Snapshot, memory: Memory) {
    const { name, scheduler, policies } = snapshot;
    const label = `pending exceptions of ${name}`;
    const allocator = new Slab(memory, label, () => new PendingException(this), {
      elementBytes: PENDING_BYTES,
    });
    this.#snapshot = snapshot;
    this.#pool = new Mempool({ scheduler, label, allocator, minNr: policies.pendingReserve });
    this.#order = new CommitOrder((pending, task) => this.#commit(pending, task));
    this.#settle = settlePolicyOf(policies);
    this.behind = snapshot.isWrittenBehind
      ? new WriteBehind(snapshot, (pending, task) => this.#commitInTurn(pending, task))
      : null;
  }

  /** Chunks whose copies are not committed yet. */
  get count(): number {
    return this.#byChunk.size;
  }

  /** Whether all have been let go of, and nobody is about to begin another one. */
  get isIdle(): boolean {
    return this.#pool.liveCount === 0;
  }

  /** Of those that are not committed; Infinity: all are. */
  get oldestSequence(): number {
    const [oldest] = this.#byChunk.values();
    return oldest?.sequence ?? Infinity;
  }

  /** Whether a chunk is pending; the explorer is not told of the look. */
  has(chunk: number): boolean {
    return this.#byChunk.has(chunk);
  }

  of(chunk: number): PendingException | undefined {
    this.#snapshot.scheduler.touch(this.#snapshot.look);
    return this.#byChunk.get(chunk);
  }

  /**
   * Makes a chunk pending, unless the store is full, or somebody else was faster, or the snapshot has
   * become invalid; the caller looks again. Called with the lock, and answers with it, but has not
   * held it all the time.
   *
   * Waits: for memory.
   */
  begin(chunk: number, task: Task): Awaitable<void> {
    this.#snapshot.lock.leaveMap(task);
    const fresh = this.#pool.alloc(GFP_NOIO, task);
    if (isPending(fresh)) return fresh.then((late) => this.#beginUnlocked(late, chunk, task));
    return this.#beginUnlocked(fresh, chunk, task);
  }

  /** What `begin` has begun, or found; none: the chunk has an exception, or there is no room. */
  begun(chunk: number): PendingException | undefined {
    return this.#isTaken(chunk) ? undefined : this.of(chunk);
  }

  /** Copies a pending chunk from the origin to the store. Waits: for the copier to take it. */
  startCopy(pending: PendingException, task: Task): Awaitable<void> {
    const { chunkSectors, origin, cow, copier, throttle, counters } = this.#snapshot;
    pending.isStarted = true;
    throttle.begin(pending);
    counters.copies += 1;
    const sector = pending.oldChunk * chunkSectors;
    const sectors = Math.min(chunkSectors, origin.sizeSectors - sector);
    const source = { device: origin, sector, sectors };
    const target = { device: cow, sector: pending.newChunk * chunkSectors, sectors };
    return copier.copy({ source, destinations: [target] }, pending, task);
  }

  /** A write of a whole chunk is its own copy. Waits: for the copier to take it. */
  beginWholeChunk(pending: PendingException, bio: Bio, task: Task): Awaitable<PreparedCallback> {
    const { copier, throttle, counters } = this.#snapshot;
    pending.isStarted = true;
    pending.fullBio = bio;
    pending.isFullBioFua = (bio.flags & BioFlag.Fua) !== 0;
    throttle.begin(pending);
    counters.wholeChunkWrites += 1;
    return copier.prepareCallback(pending, task);
  }

  copyEnded(pending: PendingException, task: Task): Promise<void> {
    return this.behind?.copied(pending, task) ?? this.#commitInTurn(pending, task);
  }

  async committed(pending: PendingException, isDurable: boolean, task: Task): Promise<void> {
    const snapshot = this.#snapshot;
    const { oldChunk, newChunk } = pending;
    if (!isDurable) snapshot.invalidate("Error reading/writing.");
    await this.#settle(
      {
        lock: snapshot.lock,
        drain: (waiting) => snapshot.tracked.drain(oldChunk, 1, waiting),
        insert: () => {
          snapshot.scheduler.touch(snapshot.change);
          // New reads go to the store from here on.
          if (snapshot.isValid) snapshot.exceptions.insert(oldChunk, newChunk);
        },
      },
      task,
    );
    snapshot.scheduler.touch(snapshot.change);
    this.#byChunk.delete(oldChunk);
    snapshot.throttle.end(pending);
    snapshot.originRecord.copyFinished();
    await this.#release(pending, task);
    await this.behind?.committed(task);
    snapshot.becameQuieter();
  }

  /** None may be under way. */
  async destroy(task: Task): Promise<void> {
    await this.behind?.destroy(task);
    this.#pool.destroy();
  }

  #beginUnlocked(fresh: PendingException | null, chunk: number, task: Task): Awaitable<void> {
    invariant(fresh !== null, "an allocation that may wait has failed");
    const locked = this.#snapshot.lock.enterMap(task);
    if (locked === undefined) {
      this.#beginLocked(fresh, chunk);
      return;
    }
    return locked.then(() => {
      this.#beginLocked(fresh, chunk);
    });
  }

  #beginLocked(fresh: PendingException, chunk: number): void {
    const snapshot = this.#snapshot;
    const isPendingNow = this.of(chunk) !== undefined;
    const isStillWanted = snapshot.isValid && !isPendingNow && !this.#isTaken(chunk);
    const newChunk = isStillWanted ? (snapshot.store?.prepare() ?? -1) : -1;
    if (newChunk < 0) {
      this.#pool.free(fresh);
      return;
    }
    snapshot.scheduler.touch(snapshot.change);
    fresh.begin(chunk, newChunk, this.#order.nextSequence());
    this.#byChunk.set(chunk, fresh);
  }

  /** Whether somebody was faster, and is done already. */
  #isTaken(chunk: number): boolean {
    const { policies } = this.#snapshot;
    return policies.rechecks === "both" && this.#snapshot.lookup(chunk) >= 0;
  }

  #commitInTurn(pending: PendingException, task: Task): Promise<void> {
    if (this.#snapshot.policies.commits === "as-copied") return this.#commit(pending, task);
    return this.#order.ready(pending, task);
  }

  async #commit(pending: PendingException, task: Task): Promise<void> {
    const { store, warning } = this.#snapshot;
    await store?.commit(pending, pending, task);
    const usage = store?.usage();
    if (usage !== undefined) warning.check(usage.allocatedSectors, usage.totalSectors);
  }

  /** Sends on their way all who have waited for a chunk. */
  async #release(pending: PendingException, task: Task): Promise<void> {
    const { fullBio, snapshotBios, originBios } = pending;
    const { isValid: isOk, submitter, originRecord } = this.#snapshot;
    pending.fullBio = null;
    if (fullBio !== null) {
      if (!isOk) fullBio.status = BioStatus.IoError;
      bioEndio(fullBio);
    }
    for (let bio = snapshotBios.pop(); bio !== null; bio = snapshotBios.pop()) {
      if (isOk) await submitter.submitBio(bio, task);
      else bioError(bio, BioStatus.IoError);
    }
    for (let bio = originBios.pop(); bio !== null; bio = originBios.pop()) {
      await originRecord.retry(bio, this.#snapshot, task);
    }
    this.#pool.free(pending);
  }
}
