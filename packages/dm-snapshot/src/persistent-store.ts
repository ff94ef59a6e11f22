import { BioFlag, BioStatus, invariant, SECTOR_BYTES, type Sectors } from "@blkstack/bio";
import { type Awaitable, isPending, type Task } from "@blkstack/task";
import { AreaEntries } from "./area-entries.ts";
import {
  COW_MAGIC,
  DEFAULT_CHUNK_SECTORS,
  headerProblem,
  readHeader,
  refusal,
  writeHeader,
} from "./cow-header.ts";
import { AreaReader, type CowIo } from "./cow-io.ts";
import { CowLayout, type StoreUsage, usageText } from "./cow-layout.ts";
import {
  type CommitListener,
  type ExceptionStore,
  LoadResult,
  type MergeRun,
  type PreparedException,
} from "./exception-store.ts";
import { CHUNK_LIMIT } from "./exception-table.ts";

const DURABLE = BioFlag.Preflush | BioFlag.Fua;

export interface PersistentStoreOptions {
  readonly io: CowIo;
  /** As the table says it; 0: it does not. */
  readonly chunkSectors: Sectors;
  readonly canOverflow?: boolean;
  /** Hears what people should know: that the COW device overrules the table. */
  readonly log?: (message: string) => void;
}

/**
 * A store that survives: the format of Linux' persistent snapshots, to the byte. It keeps three
 * chunks in memory: the area in work, a cleared one, and the header, so that no write waits for
 * memory and marking the snapshot as invalid never disturbs an area that is being written.
 *
 * Every entry is written behind a flush, so what it names was durable before it; an area is full
 * only when the next one is durably clear. Where Linux leaves a window (a new store whose header is
 * there before its first area is clear, a mark as invalid that a power cut takes back), this one
 * orders and flushes its writes; the bytes are the same.
 */
export class PersistentStore implements ExceptionStore {
  readonly canOverflow: boolean;
  readonly canMerge = true;
  readonly #io: CowIo;
  readonly #log: (message: string) => void;
  /** What the table says; 0: nothing. */
  readonly #tableChunkSectors: Sectors;
  #layout: CowLayout;
  #area: AreaEntries;
  #zeros: Uint8Array;
  #header: Uint8Array;
  /** The area that the next entry goes into, and how many it has. */
  #currentArea = 0;
  #committed = 0;
  /** The next chunk to be handed out; never one of metadata. */
  #nextFree = 2;
  /** Handed out and not yet committed. */
  #pending = 0;
  #listeners: CommitListener[] = [];
  /** Behind so many entries a torn write left others on the disk, that count for nothing. */
  #debrisFrom: number | null = null;
  #isValid = true;

  constructor({ io, chunkSectors, canOverflow = false, log }: PersistentStoreOptions) {
    this.#io = io;
    this.#log = log ?? (() => undefined);
    this.canOverflow = canOverflow;
    this.#tableChunkSectors = chunkSectors;
    const blockSectors = (io.logicalBlockBytes ?? []).map((bytes) => bytes / SECTOR_BYTES);
    this.#layout = new CowLayout(chunkSectors || Math.max(DEFAULT_CHUNK_SECTORS, ...blockSectors));
    // The header is as large as a chunk, and the others wait until it tells how large that is.
    this.#header = new Uint8Array(this.#layout.chunkBytes);
    this.#area = new AreaEntries(0);
    this.#zeros = this.#area.bytes;
  }

  get type(): "P" | "PO" {
    return this.canOverflow ? "PO" : "P";
  }

  get chunkSectors(): Sectors {
    return this.#layout.chunkSectors;
  }

  get isValid(): boolean {
    return this.#isValid;
  }

  async load(
    task: Task,
    onException: (oldChunk: number, newChunk: number) => void,
  ): Promise<LoadResult> {
    if ((await this.#io.read(0, this.#header, task)) !== BioStatus.Ok)
      throw refusal("EIO", "the header cannot be read");
    const header = readHeader(this.#header);
    if (header.magic !== 0) this.#adopt(header.chunkSectors, header.magic);
    this.#area = new AreaEntries(this.#layout.chunkBytes);
    this.#zeros = new Uint8Array(this.#layout.chunkBytes);
    if (header.magic === 0) return this.#create(task);
    this.#header.fill(0);
    if (header.valid === 0) {
      this.#isValid = false;
      return LoadResult.Invalid;
    }
    await this.#scan(task, onException);
    return LoadResult.Usable;
  }

  prepare(): number {
    const newChunk = this.#nextFree;
    if (!this.#layout.isWithin(newChunk, this.#io.sizeSectors)) return -1;
    this.#nextFree = this.#layout.dataChunkFrom(newChunk + 1);
    this.#pending += 1;
    return newChunk;
  }

  commit(exception: PreparedException, listener: CommitListener, task: Task): Awaitable<void> {
    invariant(this.#pending > 0, "a chunk is committed that was not prepared");
    if (!exception.isCopied) this.#isValid = false;
    this.#area.set(this.#committed, exception.oldChunk, exception.newChunk);
    this.#committed += 1;
    this.#listeners.push(listener);
    this.#pending -= 1;
    // Those that are still being copied will bring this one to the disk with them.
    if (this.#pending > 0 && this.#committed < this.#area.length) return;
    return this.#writeOut(task);
  }

  async prepareMerge(task: Task): Promise<MergeRun | BioStatus | null> {
    if (this.#committed === 0) {
      if (this.#currentArea === 0) return null;
      const status = await this.#readArea(this.#currentArea - 1, task);
      if (status !== BioStatus.Ok) {
        this.#area.clear();
        return status;
      }
      this.#currentArea -= 1;
      this.#committed = this.#area.length;
      // The area left is cleared again before anything is written to it, whatever lies in it.
      this.#debrisFrom = null;
    }
    const last = this.#committed - 1;
    const lastOldChunk = this.#area.oldChunk(last);
    const lastNewChunk = this.#area.newChunk(last);
    let count = 1;
    while (
      count < this.#committed &&
      this.#area.oldChunk(last - count) === lastOldChunk - count &&
      this.#area.newChunk(last - count) === lastNewChunk - count
    )
      count += 1;
    return { lastOldChunk, lastNewChunk, count };
  }

  async commitMerge(count: number, task: Task): Promise<BioStatus> {
    invariant(count > 0 && count <= this.#committed, `${String(count)} merged of too few`);
    if (!this.#isValid) return BioStatus.IoError;
    const left = this.#committed - count;
    const forgotten = this.#area.take(left, this.#committed);
    const status = await this.#writeArea(task);
    if (status !== BioStatus.Ok) {
      // They count as they did, so a later write must not clear them by the way.
      this.#area.putBack(left, forgotten);
      return status;
    }
    this.#debrisFrom = null;
    this.#committed = left;
    this.#nextFree = this.#layout.areaChunk(this.#currentArea) + left + 1;
    return BioStatus.Ok;
  }

  drop(task: Task): Awaitable<BioStatus> {
    this.#isValid = false;
    writeHeader(this.#header, { isValid: false, chunkSectors: this.chunkSectors });
    // Writes of the origin that nobody preserves any more begin after this: it must not come later.
    return this.#io.write(0, this.#header, BioFlag.Fua, task);
  }

  usage(): StoreUsage {
    return this.#layout.usage(this.#nextFree, this.#currentArea, this.#io.sizeSectors);
  }

  statusText(): string {
    return usageText(this.usage());
  }

  remaining(): number {
    const used = this.#layout.dataChunksBefore(this.#nextFree);
    return Math.max(0, this.#layout.capacity(this.#io.sizeSectors) - used);
  }

  canShrinkTo(sectors: Sectors): boolean {
    return sectors >= this.#layout.sectorOf(this.#nextFree);
  }

  /** Takes over the chunk size of the COW device, if it is one. */
  #adopt(chunkSectors: Sectors, magic: number): void {
    const table = this.#tableChunkSectors;
    if (magic === COW_MAGIC && table > 0 && chunkSectors !== table)
      this.#log(
        `persistent snapshot: chunk size ${String(chunkSectors)} in device metadata ` +
          `overrides table chunk size of ${String(table)}.`,
      );
    const problem = headerProblem(readHeader(this.#header), this.#io.logicalBlockBytes ?? []);
    if (problem !== null) throw refusal(problem.errno, problem.text);
    if (chunkSectors === this.chunkSectors) return;
    this.#layout = new CowLayout(chunkSectors);
    this.#header = new Uint8Array(this.#layout.chunkBytes);
  }

  /** The header last, behind a flush: whoever finds it finds a clear first area, too. */
  async #create(task: Task): Promise<LoadResult> {
    if ((await this.#clearArea(0, task)) !== BioStatus.Ok)
      throw refusal("EIO", "the first area cannot be written");
    this.#header.fill(0);
    writeHeader(this.#header, { isValid: true, chunkSectors: this.chunkSectors });
    if ((await this.#io.write(0, this.#header, DURABLE, task)) !== BioStatus.Ok)
      throw refusal("EIO", "the header cannot be written");
    return LoadResult.Usable;
  }

  async #scan(
    task: Task,
    onException: (oldChunk: number, newChunk: number) => void,
  ): Promise<void> {
    const reader = new AreaReader(this.#io, this.#layout);
    let highest = 1;
    for (;;) {
      const status = reader.read(this.#currentArea, this.#area, task);
      if ((isPending(status) ? await status : status) !== BioStatus.Ok)
        throw refusal("EIO", `area ${String(this.#currentArea)} cannot be read`);
      const count = this.#area.count();
      for (let index = 0; index < count; index += 1) {
        const oldChunk = this.#area.oldChunk(index);
        const newChunk = this.#area.newChunk(index);
        if (oldChunk >= CHUNK_LIMIT || newChunk >= CHUNK_LIMIT) throw this.#absurd(index);
        if (newChunk > highest) highest = newChunk;
        onException(oldChunk, newChunk);
      }
      this.#committed = count;
      if (count < this.#area.length) break;
      this.#currentArea += 1;
    }
    if (this.#area.clearFrom(this.#committed)) this.#debrisFrom = this.#committed;
    this.#nextFree = this.#layout.dataChunkFrom(highest + 1);
  }

  #absurd(index: number): Error {
    const where = `exception ${String(index)} of area ${String(this.#currentArea)}`;
    return refusal("EINVAL", `${where} names a chunk that no device has`);
  }

  async #writeOut(task: Task): Promise<void> {
    const isFull = this.#committed === this.#area.length;
    if (isFull && (await this.#clearArea(this.#currentArea + 1, task)) !== BioStatus.Ok)
      this.#isValid = false;
    if (this.#isValid && (await this.#writeEntries(task)) !== BioStatus.Ok) this.#isValid = false;
    if (isFull) {
      this.#currentArea += 1;
      this.#committed = 0;
      this.#area.clear();
    }
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) {
      const told = listener.onCommitted(this.#isValid, task);
      if (isPending(told)) await told;
    }
  }

  /**
   * Clears, before the list grows for the first time, what lies behind it on the disk: a write torn
   * where the old list ends would make that part of the new one.
   */
  async #clearDebris(task: Task): Promise<BioStatus> {
    if (this.#debrisFrom === null) return BioStatus.Ok;
    const clean = new AreaEntries(this.#layout.chunkBytes);
    clean.bytes.set(this.#area.bytes);
    clean.clearFrom(this.#debrisFrom);
    const sector = this.#layout.sectorOf(this.#layout.areaChunk(this.#currentArea));
    const status = await this.#io.write(sector, clean.bytes, DURABLE, task);
    if (status === BioStatus.Ok) this.#debrisFrom = null;
    return status;
  }

  #readArea(area: number, task: Task): Awaitable<BioStatus> {
    const sector = this.#layout.sectorOf(this.#layout.areaChunk(area));
    return this.#io.read(sector, this.#area.bytes, task);
  }

  async #writeEntries(task: Task): Promise<BioStatus> {
    const status = await this.#clearDebris(task);
    return status === BioStatus.Ok ? this.#writeArea(task) : status;
  }

  #writeArea(task: Task): Awaitable<BioStatus> {
    const sector = this.#layout.sectorOf(this.#layout.areaChunk(this.#currentArea));
    return this.#io.write(sector, this.#area.bytes, DURABLE, task);
  }

  #clearArea(area: number, task: Task): Awaitable<BioStatus> {
    const sector = this.#layout.sectorOf(this.#layout.areaChunk(area));
    return this.#io.write(sector, this.#zeros, 0, task);
  }
}
