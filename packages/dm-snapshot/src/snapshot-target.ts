import { type Bio, BioFlag, BioOp, BioStatus, SECTOR_BYTES, type Sectors } from "@blkstack/bio";
import {
  type DeviceRange,
  EndIoResult,
  type Extent,
  ExtentLayer,
  findExtent,
  MapResult,
  type QueueLimits,
  setData,
  type StatusKind,
  type Target,
} from "@blkstack/block";
import { type Awaitable, isPending, type Task } from "@blkstack/task";
import { discard } from "./discard.ts";
import type { PendingException } from "./pending-exception.ts";
import type { Snapshot } from "./snapshot.ts";
import type { SnapshotLine } from "./snapshot-line.ts";

const PREFLUSH = BioFlag.Preflush;
const READ = BioOp.Read;

/** An image of the origin as it was, which can be written to. */
export class SnapshotTarget implements Target {
  /** Chunks are those of the origin, wherever the target begins. */
  readonly ioLinesFrom = 0;
  readonly flushBios = 1;
  readonly snapshot: Snapshot;
  readonly #line: SnapshotLine;

  constructor(line: SnapshotLine) {
    this.snapshot = line.snapshot;
    this.#line = line;
    if (line.given.discardPassdown) line.snapshot.originRecord.addHost(line.context.host);
  }

  get discardBios(): number {
    const { discardZeroesCow, discardPassdown } = this.#line.given;
    if (!discardZeroesCow) return 0;
    return discardPassdown ? 2 : 1;
  }

  /** A bio lies in one chunk. */
  get maxIoSectors(): Sectors {
    return this.snapshot.chunkSectors;
  }

  /** Waits: for the lock, for memory, and, when it is to write, while too many copies are under way. */
  map(bio: Bio, task: Task): Awaitable<MapResult> {
    const { snapshot } = this;
    if ((bio.flags & PREFLUSH) !== 0) return this.#mapFlush(bio);
    if (!snapshot.isValid) return MapResult.Kill;
    if (bio.op !== READ) {
      const throttled = snapshot.throttle.wait(task);
      if (throttled !== undefined) return this.#mapThrottled(throttled, bio, task);
    }
    return this.#mapUnlocked(bio, task);
  }

  /** Interrupt context. */
  endIo(bio: Bio): EndIoResult {
    const data = this.#line.dataOf(bio);
    const { callback } = data;
    if (callback !== null) {
      data.callback = null;
      // The bio ends again once its chunk is committed.
      const errors = bio.status === BioStatus.Ok ? 0 : 1;
      this.snapshot.copier.doCallback(callback, 0, errors);
      return EndIoResult.Incomplete;
    }
    if (data.chunk >= 0) this.snapshot.tracked.untrack(data);
    return EndIoResult.Done;
  }

  status(kind: StatusKind): string {
    return this.#line.status(kind);
  }

  /** Within one chunk. What will be refused, or is not the snapshot's yet, is not to be zeroes. */
  findExtent(sector: Sectors, extent: Extent): void {
    const { snapshot } = this;
    const { chunkSectors } = snapshot;
    // Where a read would wait, nobody knows.
    if (!snapshot.isValid || chunkSectors === 0 || !snapshot.lock.isOpenToMaps) {
      setData(extent);
      return;
    }
    extent.sectors = Math.min(extent.sectors, chunkSectors - (sector % chunkSectors));
    const newChunk = snapshot.lookup(snapshot.chunkOf(sector));
    if (newChunk < 0) findExtent(snapshot.origin, sector, extent);
    else findExtent(snapshot.cow, snapshot.cowSector(newChunk, sector), extent);
    extent.layer = newChunk < 0 ? ExtentLayer.Origin : ExtentLayer.Cow;
  }

  message(words: readonly string[]): string {
    return this.#line.message(words);
  }

  devices(): DeviceRange[] {
    return this.#line.devices();
  }

  adjustLimits(limits: QueueLimits): void {
    if (this.snapshot.isWrittenBehind) {
      limits.hasVolatileCache = true;
      limits.hasFua = true;
    }
    // Less than a chunk cannot be given back.
    if (this.discardBios === 0) return;
    // Until it has taken over, the chunks are those of the snapshot that it takes over from.
    const chunkSectors = this.snapshot.chunkSectors || this.#line.elder.chunkSectors;
    limits.maxDiscardSectors = chunkSectors;
    limits.discardGranularityBytes = chunkSectors * SECTOR_BYTES;
  }

  preresume(): void {
    this.#line.preresume();
  }

  async resume(task: Task): Promise<void> {
    await this.#line.resume(task);
  }

  async destroy(task: Task): Promise<void> {
    const { given, context, snapshot } = this.#line;
    if (given.discardPassdown) snapshot.originRecord.removeHost(context.host);
    await this.#line.destroy(task);
  }

  /** Waits: until every write that has ended is committed: who suspends it may rely on the store. */
  async postsuspend(task: Task): Promise<void> {
    await this.snapshot.pending.behind?.drain(task);
  }

  #mapFlush(bio: Bio): MapResult {
    const { pending, cow, isValid } = this.snapshot;
    bio.device = cow;
    if (pending.behind === null) return MapResult.Remapped;
    // Writes that have ended well may be lost, and whoever flushes is told.
    if (!isValid) return MapResult.Kill;
    return pending.behind.hold(bio) ? MapResult.Submitted : MapResult.Remapped;
  }

  async #mapThrottled(throttled: Promise<void>, bio: Bio, task: Task): Promise<MapResult> {
    await throttled;
    return this.#mapUnlocked(bio, task);
  }

  #mapUnlocked(bio: Bio, task: Task): Awaitable<MapResult> {
    const { lock, scheduler } = this.snapshot;
    // Without a wait in it there is nobody to keep out, and most bios need none.
    if (!scheduler.isExploring && lock.isOpenToMaps && this.#redirect(bio)) {
      return MapResult.Remapped;
    }
    const locked = lock.enterMap(task);
    if (locked !== undefined) return locked.then(() => this.#mapLocked(bio, task));
    return this.#mapLocked(bio, task);
  }

  /** Lets go of the lock. */
  #mapLocked(bio: Bio, task: Task): Awaitable<MapResult> {
    const { snapshot } = this;
    if (this.#redirect(bio)) {
      snapshot.lock.leaveMap(task);
      return MapResult.Remapped;
    }
    if (this.#isRefused(bio)) {
      snapshot.lock.leaveMap(task);
      return MapResult.Kill;
    }
    const chunk = snapshot.chunkOf(bio.sector);
    if (bio.op !== BioOp.Discard) return this.#mapWrite(bio, chunk, task);
    const newChunk = snapshot.lookup(chunk);
    snapshot.lock.leaveMap(task);
    const isPassedDown = this.#line.context.copyIndex(bio) === 1;
    return discard(snapshot, { bio, chunk, newChunk, isPassedDown }, this.#line.dataOf(bio), task);
  }

  #isRefused(bio: Bio): boolean {
    const { isValid, isOverflowed } = this.snapshot;
    return !isValid || (isOverflowed && bio.op !== READ);
  }

  /** Sends a bio to where its chunk is; false: it needs more than that. */
  #redirect(bio: Bio): boolean {
    const { snapshot } = this;
    if (bio.op === BioOp.Discard || this.#isRefused(bio)) return false;
    const chunk = snapshot.chunkOf(bio.sector);
    const newChunk = snapshot.lookup(chunk);
    if (newChunk >= 0) {
      if (this.#waitsForCommit(bio, chunk)) return false;
      this.#toStore(bio, newChunk);
      return true;
    }
    if (bio.op !== READ) return false;
    snapshot.tracked.track(this.#line.dataOf(bio), bio, chunk);
    bio.device = snapshot.origin;
    return true;
  }

  /** A write to a chunk that has no exception, or none that is durable. With the lock, which it lets go of. */
  #mapWrite(bio: Bio, chunk: number, task: Task): Awaitable<MapResult> {
    const { snapshot } = this;
    const pending = snapshot.pending.of(chunk);
    if (pending !== undefined) return this.#mapPending(pending, bio, task);
    const begun = snapshot.pending.begin(chunk, task);
    if (isPending(begun)) return begun.then(() => this.#mapBegun(bio, chunk, task));
    return this.#mapBegun(bio, chunk, task);
  }

  /** A write is not durable before its chunk's exception is, which may come later than its data. */
  #waitsForCommit(bio: Bio, chunk: number): boolean {
    const { isWrittenBehind, pending } = this.snapshot;
    return isWrittenBehind && (bio.flags & BioFlag.Fua) !== 0 && pending.has(chunk);
  }

  #mapBegun(bio: Bio, chunk: number, task: Task): Awaitable<MapResult> {
    const { snapshot } = this;
    const pending = this.#waitsForCommit(bio, chunk)
      ? snapshot.pending.of(chunk)
      : snapshot.pending.begun(chunk);
    if (pending !== undefined) return this.#mapPending(pending, bio, task);
    return this.#mapWithoutException(bio, chunk, task);
  }

  #mapPending(pending: PendingException, bio: Bio, task: Task): Awaitable<MapResult> {
    const { snapshot } = this;
    const isWhole = bio.sectors === snapshot.chunkSectors;
    this.#toStore(bio, pending.newChunk);
    if (isWhole && !pending.isStarted) {
      pending.isStarted = true;
      snapshot.lock.leaveMap(task);
      return this.#mapWhole(pending, bio, task);
    }
    pending.snapshotBios.add(bio);
    snapshot.lock.leaveMap(task);
    if (pending.isStarted) return MapResult.Submitted;
    const started = snapshot.pending.startCopy(pending, task);
    return isPending(started) ? started.then(() => MapResult.Submitted) : MapResult.Submitted;
  }

  /** The bio goes to the store by itself, and is told of when it has arrived there. */
  #mapWhole(pending: PendingException, bio: Bio, task: Task): Awaitable<MapResult> {
    const data = this.#line.dataOf(bio);
    const callback = this.snapshot.pending.beginWholeChunk(pending, bio, task);
    if (isPending(callback)) {
      return callback.then((late) => {
        data.callback = late;
        return MapResult.Remapped;
      });
    }
    data.callback = callback;
    return MapResult.Remapped;
  }

  /** The chunk got an exception meanwhile, or there is no room for one. */
  #mapWithoutException(bio: Bio, chunk: number, task: Task): MapResult {
    const { snapshot } = this;
    const newChunk = snapshot.isValid ? snapshot.lookup(chunk) : -1;
    if (snapshot.isValid && newChunk < 0) snapshot.overflow();
    if (newChunk >= 0) this.#toStore(bio, newChunk);
    snapshot.lock.leaveMap(task);
    return newChunk >= 0 ? MapResult.Remapped : MapResult.Kill;
  }

  #toStore(bio: Bio, newChunk: number): void {
    const { snapshot } = this;
    if (bio.op === READ) snapshot.counters.redirectedReads += 1;
    else snapshot.counters.writtenSectors += bio.sectors;
    bio.device = snapshot.cow;
    bio.sector = snapshot.cowSector(newChunk, bio.sector);
  }
}
