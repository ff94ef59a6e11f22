import { type Bio, BioStatus, type Sectors } from "@blkstack/bio";
import type { BlockDevice, Submitter, TargetHost } from "@blkstack/block";
import { MapResult } from "@blkstack/block";
import type { DmIoClient, KcopydClient } from "@blkstack/kcopyd";
import type { Memory, PageAllocator } from "@blkstack/memory";
import { type Access, AccessMode, type Scheduler, type Task, WaitQueue } from "@blkstack/task";
import { CopyThrottle } from "./copy-throttle.ts";
import { ExceptionTable } from "./exception-table.ts";
import type { ExceptionStore } from "./exception-store.ts";
import { FillWarning } from "./fill-warning.ts";
import { Invalidation } from "./invalidation.ts";
import { OldData } from "./old-data.ts";
import type { OriginRecord } from "./origin-record.ts";
import { type OriginTurnPolicy, turnPolicyOf } from "./origin-turn.ts";
import { PassedDown } from "./passed-down.ts";
import { PendingExceptions } from "./pending-exceptions.ts";
import { lockOf, type SnapshotLock, type SnapshotPolicies } from "./policies.ts";
import { SnapshotCounters } from "./snapshot-counters.ts";
import { type TrackedBio, TrackedChunks } from "./tracked-chunks.ts";

export interface SnapshotOptions {
  /** For people: the mapped device. */
  readonly name: string;
  readonly origin: OriginRecord;
  readonly cow: BlockDevice;
  /** Sectors from here on are not the snapshot's. */
  readonly endSector: Sectors;
  readonly isMerging: boolean;
  /** Whether its own writes may end before they are committed. */
  readonly isWrittenBehind: boolean;
  readonly policies: SnapshotPolicies;
  readonly scheduler: Scheduler;
  readonly submitter: Submitter;
  readonly memory: Memory;
  readonly host: TargetHost;
  /** What the copier copies by. */
  readonly pages: PageAllocator;
  readonly copier: KcopydClient;
  /** For the metadata of the store, and for flushes. */
  readonly io: DmIoClient;
}

/**
 * One snapshot: which chunks of the origin it has kept, or has of its own, and whether it is still
 * what it was taken for.
 *
 * A chunk is first *pending*: its copy is made and its exception committed, and all who write to it
 * wait; then it has an exception, and lies in the store for good.
 */
export class Snapshot {
  readonly name: string;
  readonly cow: BlockDevice;
  readonly endSector: Sectors;
  readonly host: TargetHost;
  readonly policies: SnapshotPolicies;
  readonly copier: KcopydClient;
  readonly submitter: Submitter;
  readonly scheduler: Scheduler;
  readonly originRecord: OriginRecord;
  /** Whether it is there to be merged into its origin, and so keeps nothing more. */
  readonly isMerging: boolean;
  /** Whether its own writes end before their exceptions are committed, and flushes wait for those. */
  readonly isWrittenBehind: boolean;
  readonly lock: SnapshotLock;
  /** When writes to the origin that have waited for this snapshot come again; null: as usual. */
  readonly turn: OriginTurnPolicy | null;
  readonly tracked: TrackedChunks;
  readonly throttle: CopyThrottle;
  readonly warning: FillWarning;
  readonly counters: SnapshotCounters = new SnapshotCounters();
  readonly invalidation: Invalidation;
  readonly pending: PendingExceptions;
  readonly oldData: OldData;
  /** How the exceptions, pending or not, are looked at and changed. */
  readonly look: Access;
  readonly change: Access;
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
  readonly #passedDown: PassedDown;
  readonly #quiet: WaitQueue;
  readonly #pages: PageAllocator;

  constructor(options: SnapshotOptions) {
    const { name, scheduler, policies } = options;
    this.name = name;
    this.originRecord = options.origin;
    this.cow = options.cow;
    this.endSector = options.endSector;
    this.host = options.host;
    this.policies = policies;
    this.#pages = options.pages;
    this.copier = options.copier;
    this.io = options.io;
    this.submitter = options.submitter;
    this.scheduler = scheduler;
    this.isMerging = options.isMerging;
    this.isWrittenBehind = options.isWrittenBehind;
    this.warning = new FillWarning(options.host);
    this.lock = lockOf(policies, `snapshot ${name}`);
    this.turn = turnPolicyOf(policies.cowThrottle);
    this.tracked = new TrackedChunks(name, scheduler);
    this.throttle = new CopyThrottle(this, policies.copiesMax);
    const object = { label: `exceptions of ${name}` };
    this.look = { object, mode: AccessMode.Read, label: `look up in ${object.label}` };
    this.change = { object, mode: AccessMode.Write, label: `change ${object.label}` };
    this.pending = new PendingExceptions(this, options.memory);
    this.oldData = new OldData(this);
    this.invalidation = new Invalidation(name, scheduler, {
      mark: (task) => this.#mark(task),
      marked: () => {
        this.originRecord.copyFinished();
        this.becameQuieter();
      },
      retry: (bio, task) => this.originRecord.retry(bio, this, task),
    });
    this.#quiet = new WaitQueue(`end of copies of ${name}`, this.copier);
    this.#passedDown = new PassedDown(this);
  }

  get origin(): BlockDevice {
    return this.originRecord.device;
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
    this.scheduler.touch(this.look);
    return this.exceptions.lookup(chunk);
  }

  /** Has a discard go on to the origin, once no other snapshot needs what it throws away. */
  passDown(bio: Bio, chunk: number, tracked: TrackedBio): MapResult {
    bio.device = this.origin;
    if (this.originRecord.snapshots.length > 1) {
      this.#passedDown.add(bio, chunk, tracked);
      return MapResult.Submitted;
    }
    this.tracked.track(tracked, bio, chunk);
    return MapResult.Remapped;
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
    this.scheduler.touch(this.change);
    this.isValid = false;
    this.host.log(`Invalidating snapshot: ${why}`);
    this.host.raiseEvent();
    this.invalidation.start();
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

  /** Something that kept it busy has ended: who waits for it to be idle looks again. Waits: never. */
  becameQuieter(): void {
    if (this.#isIdle) this.#quiet.wakeAll();
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
    this.#pages.letGoOfAll();
    await this.invalidation.destroy(task);
    await this.io.destroy(task);
    await this.pending.destroy(task);
  }

  get #isIdle(): boolean {
    return this.oldData.isIdle && this.pending.isIdle && !this.invalidation.isMarking;
  }

  async #mark(task: Task): Promise<void> {
    const status = (await this.store?.drop(task)) ?? BioStatus.Ok;
    if (status !== BioStatus.Ok) this.host.log("write header failed");
  }
}
