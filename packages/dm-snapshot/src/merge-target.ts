import { type Bio, bioEndio, BioFlag, BioOp, type Sectors } from "@blkstack/bio";
import {
  type DeviceRange,
  EndIoResult,
  MapResult,
  type StatusKind,
  type Target,
  type TargetContext,
} from "@blkstack/block";
import type { Awaitable, Task } from "@blkstack/task";
import type { BioData } from "./bio-data.ts";
import { activate, refuseEarlyResume } from "./handover.ts";
import type { Merger } from "./merger.ts";
import type { Origins } from "./origins.ts";
import { argumentsText, type SnapshotArguments } from "./snapshot-arguments.ts";
import { messageOf } from "./snapshot-message.ts";
import type { Snapshot } from "./snapshot.ts";
import { snapshotStatus } from "./snapshot-status.ts";

const PREFLUSH = BioFlag.Preflush;
const READ = BioOp.Read;

/** A snapshot on its way back into its origin, which shows what the snapshot has, all the time. */
export class MergeTarget implements Target {
  /** Chunks are those of the origin, wherever the target begins. */
  readonly ioLinesFrom = 0;
  /** One for the origin, one for the store. */
  readonly flushBios = 2;
  readonly #snapshot: Snapshot;
  readonly #merger: Merger;
  readonly #origins: Origins;
  readonly #context: TargetContext;
  readonly #arguments: SnapshotArguments;

  constructor(merger: Merger, origins: Origins, context: TargetContext, given: SnapshotArguments) {
    this.#merger = merger;
    this.#snapshot = merger.snapshot;
    this.#origins = origins;
    this.#context = context;
    this.#arguments = given;
    this.#snapshot.originRecord.addHost(context.host);
  }

  get discardBios(): number {
    return this.#arguments.discardZeroesCow ? 1 : 0;
  }

  /** A bio lies in one chunk. */
  get maxIoSectors(): Sectors {
    return this.#snapshot.chunkSectors;
  }

  /** Waits: for the lock; to write where the origin is read, as writes to an origin do. */
  map(bio: Bio, task: Task): Awaitable<MapResult> {
    const { lock, origin, cow } = this.#snapshot;
    if ((bio.flags & PREFLUSH) !== 0) {
      bio.device = this.#context.copyIndex(bio) === 0 ? origin : cow;
      return MapResult.Remapped;
    }
    if (bio.op === BioOp.Discard) {
      bioEndio(bio);
      return MapResult.Submitted;
    }
    const locked = lock.enterMap(task);
    if (locked !== undefined) return locked.then(() => this.#mapLocked(bio, task));
    return this.#mapLocked(bio, task);
  }

  /** Interrupt context. */
  endIo(bio: Bio): EndIoResult {
    const data = this.#context.perBioData(bio) as BioData;
    if (data.chunk >= 0) this.#snapshot.tracked.untrack(data);
    return EndIoResult.Done;
  }

  status(kind: StatusKind): string {
    if (kind === "info") return snapshotStatus(this.#snapshot, this.#merger.hasFailed);
    const { origin, cow, chunkSectors } = this.#snapshot;
    const label = this.#context.deviceLabel;
    return argumentsText(this.#arguments, {
      origin: label(origin),
      cow: label(cow),
      chunkSectors,
    });
  }

  message(words: readonly string[]): string {
    return messageOf(this.#snapshot, words);
  }

  devices(): DeviceRange[] {
    const { begin: startSector, sizeSectors } = this.#context;
    return [{ device: this.#snapshot.origin, startSector, sizeSectors }];
  }

  /** Waits: until the merge has come to the end of a step. */
  async presuspend(task: Task): Promise<void> {
    await this.#merger.stop(task);
  }

  presuspendUndo(): void {
    this.#merger.start();
  }

  preresume(): void {
    refuseEarlyResume(this.#snapshot, this.#origins);
  }

  async resume(task: Task): Promise<void> {
    await activate(this.#snapshot, this.#origins, task);
    this.#merger.start();
  }

  async destroy(task: Task): Promise<void> {
    await this.#merger.destroy(task);
    this.#snapshot.originRecord.removeHost(this.#context.host);
    this.#origins.remove(this.#snapshot);
    await this.#snapshot.destroy(task);
    this.#origins.release(this.#snapshot.originRecord);
  }

  /** Lets go of the lock. */
  #mapLocked(bio: Bio, task: Task): Awaitable<MapResult> {
    const { lock, origin, originRecord } = this.#snapshot;
    const isRead = bio.op === READ;
    const result = this.#mapToStore(bio, isRead);
    lock.leaveMap(task);
    if (result !== null) return result;
    bio.device = origin;
    if (isRead) return MapResult.Remapped;
    // In one chunk of every other snapshot, too, also of those that have come since.
    const boundary = originRecord.boundarySectors;
    const upToLine = boundary - (bio.sector % boundary);
    if (bio.sectors > upToLine) this.#context.acceptPartial(bio, upToLine);
    return originRecord.write(bio, false, task);
  }

  /** Null: the bio is the origin's. */
  #mapToStore(bio: Bio, isRead: boolean): MapResult | null {
    const snapshot = this.#snapshot;
    if (!snapshot.isValid || snapshot.chunkSectors === 0) return null;
    const chunk = snapshot.chunkOf(bio.sector);
    const newChunk = snapshot.lookup(chunk);
    if (newChunk < 0) return null;
    if (!isRead && this.#merger.isMerging(chunk)) {
      bio.device = snapshot.origin;
      this.#merger.hold(bio);
      return MapResult.Submitted;
    }
    bio.device = snapshot.cow;
    const { sector } = bio;
    bio.sector = snapshot.cowSector(newChunk, sector);
    if (!isRead) snapshot.tracked.track(this.#context.perBioData(bio) as BioData, bio, chunk);
    return MapResult.Remapped;
  }
}
