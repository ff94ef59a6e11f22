import { type Bio, bioEndio, BioFlag, BioOp, type Sectors } from "@blkstack/bio";
import {
  type DeviceRange,
  EndIoResult,
  MapResult,
  type StatusKind,
  type Target,
} from "@blkstack/block";
import type { Awaitable, Task } from "@blkstack/task";
import { Merger } from "./merger.ts";
import type { Snapshot } from "./snapshot.ts";
import type { SnapshotLine } from "./snapshot-line.ts";

const PREFLUSH = BioFlag.Preflush;
const READ = BioOp.Read;

/** A snapshot on its way back into its origin, which shows what the snapshot has, all the time. */
export class MergeTarget implements Target {
  /** Chunks are those of the origin, wherever the target begins. */
  readonly ioLinesFrom = 0;
  /** One for the origin, one for the store. */
  readonly flushBios = 2;
  readonly #snapshot: Snapshot;
  readonly #line: SnapshotLine;
  readonly #merger: Merger;

  constructor(line: SnapshotLine) {
    this.#snapshot = line.snapshot;
    this.#line = line;
    this.#merger = new Merger(line.snapshot);
    this.#snapshot.originRecord.addHost(line.context.host);
  }

  get discardBios(): number {
    return this.#line.given.discardZeroesCow ? 1 : 0;
  }

  /** A bio lies in one chunk. */
  get maxIoSectors(): Sectors {
    return this.#snapshot.chunkSectors;
  }

  /** Waits: for the lock; to write where the origin is read, as writes to an origin do. */
  map(bio: Bio, task: Task): Awaitable<MapResult> {
    const { lock, origin, cow } = this.#snapshot;
    if ((bio.flags & PREFLUSH) !== 0) {
      bio.device = this.#line.context.copyIndex(bio) === 0 ? origin : cow;
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
    const data = this.#line.dataOf(bio);
    if (data.chunk >= 0) this.#snapshot.tracked.untrack(data);
    return EndIoResult.Done;
  }

  status(kind: StatusKind): string {
    return this.#line.status(kind, this.#merger.hasFailed);
  }

  message(words: readonly string[]): string {
    return this.#line.message(words);
  }

  devices(): DeviceRange[] {
    return this.#line.devices();
  }

  /** Waits: until the merge has come to the end of a step. */
  async presuspend(task: Task): Promise<void> {
    await this.#merger.stop(task);
  }

  presuspendUndo(): void {
    this.#merger.start();
  }

  preresume(): void {
    this.#line.preresume();
  }

  async resume(task: Task): Promise<void> {
    await this.#line.resume(task);
    this.#merger.start();
  }

  async destroy(task: Task): Promise<void> {
    await this.#merger.destroy(task);
    this.#snapshot.originRecord.removeHost(this.#line.context.host);
    await this.#line.destroy(task);
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
    if (bio.sectors > upToLine) this.#line.context.acceptPartial(bio, upToLine);
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
    if (!isRead) snapshot.tracked.track(this.#line.dataOf(bio), bio, chunk);
    return MapResult.Remapped;
  }
}
