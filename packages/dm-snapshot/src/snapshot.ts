import { type Bio, bioEndio, bioError, BioStatus, invariant, type Sectors } from "@blkstack/bio";
import type { BlockDevice, Submitter, TargetHost } from "@blkstack/block";
import { MapResult } from "@blkstack/block";
import type { DmIoClient, KcopydClient, PreparedCallback } from "@blkstack/kcopyd";
import { type Memory, Slab } from "@blkstack/memory";
import { Mempool } from "@blkstack/mempool";
import {
  type Access,
  AccessMode,
  type Awaitable,
  GFP_NOIO,
  isPending,
  type Scheduler,
  type Task,
  WaitQueue,
} from "@blkstack/task";
import { CommitOrder } from "./commit-order.ts";
import { CopyThrottle } from "./copy-throttle.ts";
import { ExceptionTable } from "./exception-table.ts";
import type { ExceptionStore } from "./exception-store.ts";
import { FillWarning } from "./fill-warning.ts";
import { Invalidation } from "./invalidation.ts";
import type { OriginRecord } from "./origin-record.ts";
import { PassedDown } from "./passed-down.ts";
import { type CopyOwner, PendingException } from "./pending-exception.ts";
import {
  lockOf,
  type SettlePolicy,
  settlePolicyOf,
  type SnapshotLock,
  type SnapshotPolicies,
} from "./policies.ts";
import { SnapshotCounters } from "./snapshot-counters.ts";
import { type TrackedBio, TrackedChunks } from "./tracked-chunks.ts";

/** Pending exceptions that a snapshot has in reserve. */
const PENDING_RESERVE = 256;

/** Whether the old data of a chunk is safe, or a write to the origin has to wait for it. */
export const Keeping = { Done: 0, Waits: 1 } as const;
export type Keeping = (typeof Keeping)[keyof typeof Keeping];

export interface SnapshotOptions {
  /** For people: the mapped device. */
  readonly name: string;
  readonly origin: OriginRecord;
  readonly cow: BlockDevice;
  /** Sectors from here on are not the snapshot's. */
  readonly endSector: Sectors;
  readonly isMerging: boolean;
  readonly policies: SnapshotPolicies;
  readonly scheduler: Scheduler;
  readonly submitter: Submitter;
  readonly memory: Memory;
  readonly host: TargetHost;
  readonly copier: KcopydClient;
  /** For the metadata of the store, and for flushes. */
  readonly io: DmIoClient;
}

/**
 * One snapshot: which chunks of the origin it has kept, or has of its own, and the copies that are
 * under way to keep more.
 *
 * A chunk is first *pending*: its copy is made and its exception committed, and all who write to it
 * wait; then it has an exception, and lies in the store for good.
 */
export class Snapshot implements CopyOwner {
  readonly name: string;
  readonly cow: BlockDevice;
  readonly endSector: Sectors;
  readonly host: TargetHost;
  readonly policies: SnapshotPolicies;
  readonly copier: KcopydClient;
  readonly submitter: Submitter;
  readonly scheduler: Scheduler;
  /** Whether it is there to be merged into its origin, and so keeps nothing more. */
  readonly isMerging: boolean;
  readonly lock: SnapshotLock;
  readonly tracked: TrackedChunks;
  readonly throttle: CopyThrottle;
  readonly warning: FillWarning;
  readonly counters: SnapshotCounters = new SnapshotCounters();
  /** 0: to be taken over from another snapshot. */
  chunkSectors: Sectors = 0;
  exceptions: ExceptionTable = new ExceptionTable();
  /** Goes with the store. */
  io: DmIoClient;
  /** Null: to be taken over. */
  store: ExceptionStore | null = null;
  /** Whether writes to the origin need to care. */
  isActive = false;
  isValid = true;
  isOverflowed = false;
  /** How large the store's device was when it was last looked at. */
  cowSectorsSeen: Sectors = 0;
  readonly #origin: OriginRecord;
  readonly #pending = new Map<number, PendingException>();
  readonly #pool: Mempool<PendingException>;
  readonly #invalidation: Invalidation;
  readonly #passedDown: PassedDown;
  readonly #order: CommitOrder;
  readonly #settle: SettlePolicy;
  /** Writes to the origin that are in the middle of `preserve`; and who waits for them. */
  #preservers = 0;
  readonly #quiet: WaitQueue;
  readonly #look: Access;
  readonly #change: Access;

  constructor(options: SnapshotOptions) {
    const { name, scheduler, memory, policies } = options;
    this.name = name;
    this.#origin = options.origin;
    this.cow = options.cow;
    this.endSector = options.endSector;
    this.host = options.host;
    this.policies = policies;
    this.copier = options.copier;
    this.io = options.io;
    this.submitter = options.submitter;
    this.scheduler = scheduler;
    this.isMerging = options.isMerging;
    this.warning = new FillWarning(options.host);
    this.lock = lockOf(policies, `snapshot ${name}`);
    this.#settle = settlePolicyOf(policies);
    this.tracked = new TrackedChunks(name, scheduler);
    this.throttle = new CopyThrottle(name, policies.copiesMax);
    const allocator = new Slab(
      memory,
      `pending exceptions of ${name}`,
      () => new PendingException(this),
    );
    const pool = { scheduler, label: `pending exceptions of ${name}`, allocator };
    this.#pool = new Mempool({ ...pool, minNr: PENDING_RESERVE });
    this.#order = new CommitOrder((pending, task) => this.#commit(pending, task));
    this.#invalidation = new Invalidation(name, scheduler, {
      mark: (task) => this.#mark(task),
      marked: () => {
        this.#settled();
      },
      retry: (bio, task) => this.#retry(bio, task),
    });
    this.#quiet = new WaitQueue(`end of copies of ${name}`, this.copier);
    this.#passedDown = new PassedDown(this);
    const object = { label: `exceptions of ${name}` };
    this.#look = { object, mode: AccessMode.Read, label: `look up in ${object.label}` };
    this.#change = { object, mode: AccessMode.Write, label: `change ${object.label}` };
  }

  get origin(): BlockDevice {
    return this.#origin.device;
  }

  get originRecord(): OriginRecord {
    return this.#origin;
  }

  /** Chunks whose copies are not committed yet. */
  get pendingCount(): number {
    return this.#pending.size;
  }

  chunkOf(sector: Sectors): number {
    return Math.floor(sector / this.chunkSectors);
  }

  /** Where the store has a sector of a chunk that lies in `newChunk` there. */
  cowSector(newChunk: number, sector: Sectors): Sectors {
    return newChunk * this.chunkSectors + (sector % this.chunkSectors);
  }

  /** The chunk of the store that has this one; -1: none has. */
  lookup(chunk: number): number {
    this.scheduler.touch(this.#look);
    return this.exceptions.lookup(chunk);
  }

  pendingOf(chunk: number): PendingException | undefined {
    this.scheduler.touch(this.#look);
    return this.#pending.get(chunk);
  }

  /** Whether a write to the origin at this sector is nothing to this snapshot. Waits: never. */
  keeps(sector: Sectors): boolean {
    if (!this.#isConcernedBy(sector)) return true;
    if (!this.isValid) return !this.#invalidation.isMarking;
    if (!this.lock.isOpenToMaps) return false;
    const chunk = this.chunkOf(sector);
    return !this.#pending.has(chunk) && this.exceptions.lookup(chunk) >= 0;
  }

  /**
   * Sees to it that the chunk of a sector of the origin is kept before it is written. When that
   * takes time `bio`, if there is one, is put aside, and comes back through the origin.
   *
   * Waits: for memory and for the lock.
   */
  preserve(sector: Sectors, bio: Bio | null, task: Task): Awaitable<Keeping> {
    if (!this.#isConcernedBy(sector)) return Keeping.Done;
    const chunk = this.chunkOf(sector);
    const locked = this.lock.enterMap(task);
    const keeping =
      locked === undefined
        ? this.#preserve(chunk, bio, task)
        : locked.then(() => this.#preserve(chunk, bio, task));
    return isPending(keeping) ? this.#countPreserver(keeping) : keeping;
  }

  /**
   * Makes a chunk pending, unless the store is full, or somebody else was faster, or the snapshot has
   * become invalid; the caller looks again. Called with the lock, and answers with it, but has not
   * held it all the time.
   *
   * Waits: for memory.
   */
  beginException(chunk: number, task: Task): Awaitable<void> {
    this.lock.leaveMap(task);
    const fresh = this.#pool.alloc(GFP_NOIO, task);
    if (isPending(fresh)) return fresh.then((late) => this.#beginLocked(late, chunk, task));
    return this.#beginLocked(fresh, chunk, task);
  }

  /** Copies a pending chunk from the origin to the store. Waits: for the copier to take it. */
  startCopy(pending: PendingException, task: Task): Awaitable<void> {
    pending.isStarted = true;
    this.throttle.begin(pending);
    this.counters.copies += 1;
    const { chunkSectors } = this;
    const sector = pending.oldChunk * chunkSectors;
    const sectors = Math.min(chunkSectors, this.origin.sizeSectors - sector);
    const source = { device: this.origin, sector, sectors };
    const target = { device: this.cow, sector: pending.newChunk * chunkSectors, sectors };
    return this.copier.copy({ source, destinations: [target] }, pending, task);
  }

  /** A write of a whole chunk is its own copy. Waits: for the copier to take it. */
  beginWholeChunk(pending: PendingException, bio: Bio, task: Task): Awaitable<PreparedCallback> {
    pending.fullBio = bio;
    this.throttle.begin(pending);
    this.counters.wholeChunkWrites += 1;
    return this.copier.prepareCallback(pending, task);
  }

  /** Has a discard go on to the origin, once no other snapshot needs what it throws away. */
  passDown(bio: Bio, chunk: number, tracked: TrackedBio): MapResult {
    bio.device = this.origin;
    if (this.#origin.snapshots.length > 1) {
      this.#passedDown.add(bio, chunk, tracked);
      return MapResult.Submitted;
    }
    this.tracked.track(tracked, bio, chunk);
    return MapResult.Remapped;
  }

  /** The data of a pending chunk is in the store, or will never be. On the task of the copier. */
  copyEnded(pending: PendingException, task: Task): Promise<void> {
    if (this.policies.commits === "as-copied") return this.#commit(pending, task);
    return this.#order.ready(pending, task);
  }

  async committed(pending: PendingException, isDurable: boolean, task: Task): Promise<void> {
    const { oldChunk, newChunk } = pending;
    if (!isDurable) this.invalidate("Error reading/writing.");
    await this.#settle(
      {
        lock: this.lock,
        drain: (waiting) => this.tracked.drain(oldChunk, 1, waiting),
        insert: () => {
          this.scheduler.touch(this.#change);
          // New reads go to the store from here on.
          if (this.isValid) this.exceptions.insert(oldChunk, newChunk);
        },
      },
      task,
    );
    this.scheduler.touch(this.#change);
    this.#pending.delete(oldChunk);
    this.throttle.end(pending);
    this.#origin.copyFinished();
    await this.#release(pending, task);
    if (this.#isIdle) this.#quiet.wakeAll();
  }

  /** A snapshot's own write finds no room: reads may go on, as far as that was asked for. */
  overflow(): void {
    if (this.store?.canOverflow !== true) {
      this.invalidate("Unable to allocate exception.");
      return;
    }
    if (!this.isOverflowed) this.host.log("Snapshot overflowed: Unable to allocate exception.");
    this.isOverflowed = true;
  }

  /** From here on the snapshot is not what it was taken for, and says so. Waits: never. */
  invalidate(why: string): void {
    if (!this.isValid) return;
    this.scheduler.touch(this.#change);
    this.isValid = false;
    this.host.log(`Invalidating snapshot: ${why}`);
    this.host.raiseEvent();
    this.#invalidation.start();
  }

  /** The snapshot whose exceptions this one was to get is gone. Waits: never. */
  cancelHandover(): void {
    this.host.log("Cancelling snapshot handover.");
    this.isValid = false;
  }

  /** Waits: until no copy is under way, and no mark on the store; nobody may begin one. */
  async idle(task: Task): Promise<void> {
    await this.#quiet.waitUntil(task, () => this.#isIdle);
  }

  /** The store can be used as it is: perhaps it has grown, and there is room again. */
  sawStore(): void {
    this.cowSectorsSeen = this.cow.sizeSectors;
    if (this.isOverflowed && (this.store?.remaining() ?? 0) > 0) this.isOverflowed = false;
  }

  /**
   * The end; no bio of its own may be under way. Waits: for copies that writes to the origin have
   * begun, and for a mark on the store.
   */
  async destroy(task: Task): Promise<void> {
    this.isActive = false;
    await this.idle(task);
    await this.#passedDown.destroy(task);
    await this.copier.destroy(task);
    await this.#invalidation.destroy(task);
    await this.io.destroy(task);
    this.#pool.destroy();
  }

  #isConcernedBy(sector: Sectors): boolean {
    return this.isActive && !this.isMerging && sector < this.endSector;
  }

  /** With the lock, which it lets go of. */
  #preserve(chunk: number, bio: Bio | null, task: Task): Awaitable<Keeping> {
    // What is pending comes first: between the two the chunk is in both tables, and some still
    // read the origin.
    const pending = this.pendingOf(chunk);
    const isNew = this.isValid && pending === undefined && this.lookup(chunk) < 0;
    if (!isNew) return this.#keep(pending, bio, task);
    const begun = this.beginException(chunk, task);
    if (isPending(begun)) return begun.then(() => this.#keepNew(chunk, bio, task));
    return this.#keepNew(chunk, bio, task);
  }

  #keepNew(chunk: number, bio: Bio | null, task: Task): Awaitable<Keeping> {
    const pending = this.pendingOf(chunk);
    if (pending === undefined && this.isValid && this.lookup(chunk) < 0) {
      this.invalidate("Unable to allocate exception.");
    }
    if (pending?.isStarted === false && bio !== null) this.counters.writtenSectors += bio.sectors;
    return this.#keep(pending, bio, task);
  }

  /** Lets go of the lock. */
  #keep(pending: PendingException | undefined, bio: Bio | null, task: Task): Awaitable<Keeping> {
    this.lock.leaveMap(task);
    if (pending === undefined) return this.#keptOrMarked(bio);
    if (bio !== null) pending.originBios.add(bio);
    if (pending.isStarted) return Keeping.Waits;
    const started = this.startCopy(pending, task);
    return isPending(started) ? started.then(() => Keeping.Waits) : Keeping.Waits;
  }

  #beginLocked(fresh: PendingException | null, chunk: number, task: Task): Awaitable<void> {
    invariant(fresh !== null, "an allocation that may wait has failed");
    const locked = this.lock.enterMap(task);
    if (locked === undefined) {
      this.#begin(fresh, chunk);
      return;
    }
    return locked.then(() => {
      this.#begin(fresh, chunk);
    });
  }

  /** With the lock. */
  #begin(fresh: PendingException, chunk: number): void {
    const isPendingNow = this.pendingOf(chunk) !== undefined;
    const isStillWanted = this.isValid && !isPendingNow && this.lookup(chunk) < 0;
    const newChunk = isStillWanted ? (this.store?.prepare() ?? -1) : -1;
    if (newChunk < 0) {
      this.#pool.free(fresh);
      return;
    }
    this.scheduler.touch(this.#change);
    fresh.begin(chunk, newChunk, this.#order.nextSequence());
    this.#pending.set(chunk, fresh);
  }

  get #isIdle(): boolean {
    const isMarking = this.#invalidation.isMarking;
    return this.#preservers === 0 && this.#pool.liveCount === 0 && !isMarking;
  }

  /** While it waits its snapshot must not go away. */
  async #countPreserver(keeping: Promise<Keeping>): Promise<Keeping> {
    this.#preservers += 1;
    const kept = await keeping;
    this.#preservers -= 1;
    if (this.#isIdle) this.#quiet.wakeAll();
    return kept;
  }

  /** A copy has ended, or the store is marked: whoever waits for either looks again. */
  #settled(): void {
    this.#origin.copyFinished();
    if (this.#isIdle) this.#quiet.wakeAll();
  }

  #keptOrMarked(bio: Bio | null): Keeping {
    if (this.isValid || !this.#invalidation.isMarking) return Keeping.Done;
    if (bio !== null) this.#invalidation.hold(bio);
    return Keeping.Waits;
  }

  async #commit(pending: PendingException, task: Task): Promise<void> {
    await this.store?.commit(pending, pending, task);
    this.#warnIfFull();
  }

  /** Sends on their way all who have waited for a chunk. */
  async #release(pending: PendingException, task: Task): Promise<void> {
    const { fullBio, snapshotBios, originBios } = pending;
    const isOk = this.isValid;
    pending.fullBio = null;
    if (fullBio !== null) {
      if (!isOk) fullBio.status = BioStatus.IoError;
      bioEndio(fullBio);
    }
    for (let bio = snapshotBios.pop(); bio !== null; bio = snapshotBios.pop()) {
      if (isOk) await this.submitter.submitBio(bio, task);
      else bioError(bio, BioStatus.IoError);
    }
    for (let bio = originBios.pop(); bio !== null; bio = originBios.pop()) {
      await this.#retry(bio, task);
    }
    this.#pool.free(pending);
  }

  /** The origin never fails because of a snapshot. */
  async #retry(bio: Bio, task: Task): Promise<void> {
    const result = await this.#origin.write(bio, false, task);
    if (result === MapResult.Remapped) await this.submitter.submitBio(bio, task);
  }

  #warnIfFull(): void {
    const usage = this.store?.usage();
    if (usage !== undefined) this.warning.check(usage.allocatedSectors, usage.totalSectors);
  }

  async #mark(task: Task): Promise<void> {
    const status = (await this.store?.drop(task)) ?? BioStatus.Ok;
    if (status !== BioStatus.Ok) this.host.log("write header failed");
  }
}
