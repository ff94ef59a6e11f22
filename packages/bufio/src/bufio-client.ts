import { BioStatus, type Bytes, invariant, type Sectors } from "@blkstack/bio";
import type { BlockDevice, Submitter } from "@blkstack/block";
import type { Memory } from "@blkstack/memory";
import { assertMaySleep, type Awaitable, type Scheduler, type Task } from "@blkstack/task";
import { type BlockBuffer, type BufferHome, type CachedBlock, isBuffer } from "./block-buffer.ts";
import { BlockFetcher } from "./block-fetcher.ts";
import { BufferCache } from "./buffer-cache.ts";
import { BufferMemory } from "./buffer-memory.ts";
import { BufferSupply } from "./buffer-supply.ts";
import type { BufioCaches } from "./bufio-caches.ts";
import { CacheLimits } from "./cache-limits.ts";
import type { BufioCounters } from "./counters.ts";
import { checkBlockBytes } from "./errors.ts";
import { Eviction } from "./eviction.ts";
import { Housekeeping } from "./housekeeping.ts";
import type { ShrinkerGeneration } from "./shrinkers/generation.ts";
import { workQueue } from "./shrinkers/work-queue.ts";
import { WriteBack } from "./write-back.ts";

const RESERVED_BUFFERS = 1;
const MINIMUM_BUFFERS = 8;
/** What is dirty is written in whole pages, if the block is as large and the device allows no less. */
const WRITE_ALIGN_BYTES: Bytes = 4096;
const OK = BioStatus.Ok;

export interface BufioClientOptions {
  /** The client is called `bufio "NAME"`. */
  readonly name: string;
  readonly scheduler: Scheduler;
  readonly memory: Memory;
  /** The way down. It is to cut bios that a device cannot take at once. */
  readonly submitter: Submitter;
  /** What it shares with other clients. */
  readonly caches: BufioCaches;
  readonly device: BlockDevice;
  /** A multiple of 512, and of the blocks of the device. */
  readonly blockBytes: Bytes;
  /** Where block 0 lies on the device; 0 unless told. */
  readonly startSector?: Sectors;
  /**
   * Buffers set aside: with as many as its users hold at a time they go on with no memory at all. 1
   * unless told; with 0 they may wait for as long as memory is short.
   */
  readonly reservedBuffers?: number;
  /** How many buffers it may keep however small its share is; 8 unless told. */
  readonly minimumBuffers?: number;
  /** How it gives memory back when that is short; `workQueue` unless told. */
  readonly shrinker?: ShrinkerGeneration;
}

/**
 * Blocks of a device, kept in memory: read once, written late, given back when memory is short.
 *
 * A block is used while it is held, and a held block stays. There is one lock, for what takes long;
 * who asks for a block that is there neither takes it nor waits, and makes no promise.
 */
export class BufioClient {
  readonly label: string;
  readonly blockBytes: Bytes;
  readonly #options: BufioClientOptions;
  readonly #home: BufferHome;
  readonly #cache: BufferCache;
  readonly #memory: BufferMemory;
  readonly #supply: BufferSupply;
  readonly #limits: CacheLimits;
  readonly #fetcher: BlockFetcher;
  readonly #writeBack: WriteBack;
  readonly #housekeeping: Housekeeping;

  /** Throws a `BlockError`: EINVAL for a size of blocks that is none, ENOMEM without a reserve. */
  constructor(options: BufioClientOptions) {
    const { name, scheduler, memory, submitter, caches, device, blockBytes } = options;
    const { reservedBuffers = RESERVED_BUFFERS, minimumBuffers = MINIMUM_BUFFERS } = options;
    const label = `bufio "${name}"`;
    checkBlockBytes(label, blockBytes, device);
    this.label = label;
    this.blockBytes = blockBytes;
    this.#options = options;
    const cache = new BufferCache(label, scheduler);
    this.#cache = cache;
    this.#home = {
      label,
      device,
      blockBytes,
      startSector: options.startSector ?? 0,
      writeAlignBytes: Math.max(WRITE_ALIGN_BYTES, device.queue.limits.logicalBlockBytes),
      ioEnded: (buffer, status) => {
        this.#ioEnded(buffer, status);
      },
    };
    this.#memory = new BufferMemory(this.#home, memory, caches);
    const eviction = new Eviction(cache, submitter, (buffer) => {
      this.#supply.free(buffer);
    });
    this.#supply = new BufferSupply(cache, this.#memory, eviction, reservedBuffers);
    this.#limits = new CacheLimits(caches, blockBytes, minimumBuffers);
    this.#writeBack = new WriteBack(cache, {
      memory,
      submitter,
      device,
      limits: this.#limits,
    });
    this.#fetcher = new BlockFetcher({
      cache,
      supply: this.#supply,
      eviction,
      writeBack: this.#writeBack,
      limits: this.#limits,
      submitter,
      caches,
    });
    this.#housekeeping = new Housekeeping({
      cache,
      eviction,
      limits: this.#limits,
      fetcher: this.#fetcher,
      writeBack: this.#writeBack,
      caches,
      memory,
      generation: options.shrinker ?? workQueue,
    });
  }

  get counters(): BufioCounters {
    const { tally, count, dirty } = this.#cache;
    const { currentBytes, peakBytes } = this.#memory;
    return { ...tally, buffers: count, dirtyBuffers: dirty.count, currentBytes, peakBytes };
  }

  /** How many buffers it may keep however small its share is. */
  get minimumBuffers(): number {
    return this.#limits.minimumBuffers;
  }

  set minimumBuffers(count: number) {
    this.#limits.minimumBuffers = count;
    this.#housekeeping.shareChanged();
  }

  /** How many buffers it may keep. */
  get maximumBuffers(): number {
    return this.#limits.buffers;
  }

  /**
   * A block, held, if it is there and read; else null. Also from inside a driver call.
   *
   * Waits: never.
   */
  get(block: number, task: Task): CachedBlock | null {
    const cache = this.#cache;
    cache.tellUse();
    const buffer = cache.find(block);
    if (buffer === null || buffer.isReading || buffer.hasFailed) return null;
    cache.tally.hits += 1;
    cache.hold(buffer, task);
    return buffer;
  }

  /**
   * A block if it is there and read, not held: to be looked at before anything else runs. Also from
   * inside a driver call. Does not count as a use of it. Waits: never.
   */
  peek(block: number): CachedBlock | null {
    this.#cache.tellUse();
    const buffer = this.#cache.find(block);
    return buffer === null || buffer.isReading || buffer.hasFailed ? null : buffer;
  }

  /**
   * A block, held; or why it cannot be read, and then nothing is held.
   *
   * Waits: only when it is not there, or still being read: for a buffer and for the device. Never to be
   * called from inside a driver call, where an `InvariantError` says so, though it might be there.
   */
  read(block: number, task: Task): Awaitable<CachedBlock | BioStatus> {
    return this.#obtain(block, false, task);
  }

  /**
   * A block, held, that need not be read, for all of it is to be written: what it contains is anything.
   * The caller fills it and marks it dirty. Otherwise as `read`.
   */
  new(block: number, task: Task): Awaitable<CachedBlock | BioStatus> {
    return this.#obtain(block, true, task);
  }

  /**
   * Has `count` blocks read that are not there, without holding them; gives up when memory is short.
   *
   * Waits: for the lock, and as long as the device takes to accept. Not from inside a driver call.
   */
  async prefetch(block: number, count: number, task: Task): Promise<void> {
    this.#refuseInDriver("prefetch", block, task);
    for (let next = block; next < block + count; next += 1) {
      if (this.#cache.find(next) !== null) continue;
      if (!(await this.#fetcher.prefetch(next, task))) return;
    }
  }

  /** Says that bytes `[start, end)` of a block that is held were changed. Waits: never. */
  markDirty(block: CachedBlock, start: Bytes = 0, end: Bytes = this.blockBytes): void {
    const buffer = this.#ownHeld(block, "made dirty");
    if (buffer.isReading) invariant(false, `${buffer.label} is made dirty before it is read`);
    const isRange = start >= 0 && start < end && end <= this.blockBytes;
    if (!isRange) invariant(false, `${buffer.label} has no bytes ${String(start)}..${String(end)}`);
    const cache = this.#cache;
    cache.tellUse();
    if (!buffer.isDirty) {
      cache.order += 1;
      buffer.dirtiedAt = cache.order;
    }
    buffer.widen(start, end);
    cache.relist(buffer);
    if (this.#writeBack.wantsToWrite) this.#housekeeping.writeSoon();
  }

  /** Lets go of a block. Waits: never. From interrupt context too. */
  release(block: CachedBlock, task: Task): void {
    const buffer = this.#ownHeld(block, "released");
    this.#cache.tellUse();
    this.#fetcher.release(buffer, task);
    if (buffer.holds === 0) this.#options.memory.becameFreeable();
  }

  /**
   * Starts writing what is dirty, but for blocks that are being written already.
   *
   * Waits: for the lock, and as long as the device takes to accept. Not from inside a driver call.
   */
  writeDirtyAsync(task: Task): Promise<void> {
    this.#refuseInDriver("write", -1, task);
    return this.#writeBack.writeAsync(task);
  }

  /**
   * Makes durable all that is dirty now. Answers the first error of any write since it was last asked
   * for, which is forgotten then; else that of the flush.
   *
   * Waits: until all is written, and the device has flushed it. Not from inside a driver call.
   */
  async writeDirty(task: Task): Promise<BioStatus> {
    this.#refuseInDriver("write", -1, task);
    await this.#writeBack.write(0, Infinity, task);
    const written = this.#cache.takeWriteStatus();
    const flushed = await this.#writeBack.flush(task);
    return written === OK ? flushed : written;
  }

  /**
   * Writes what is dirty now of blocks `[first, end)`, without a flush. Answers the first error among
   * them, which `writeDirty` will tell as well.
   *
   * Waits: until they are written. Not from inside a driver call.
   */
  writeBlocks(first: number, end: number, task: Task): Promise<BioStatus> {
    this.#refuseInDriver("write", first, task);
    return this.#writeBack.write(first, end, task);
  }

  /** Waits: until no write of a block that is held is under way. Not from inside a driver call. */
  untilWritten(block: CachedBlock, task: Task): Awaitable<void> {
    const buffer = this.#ownHeld(block, "waited for");
    this.#cache.tellUse();
    if (buffer.isWriting) return this.#waitForWrite(buffer, task);
  }

  /** Has the device make durable what it has been given. Waits: until then. Not inside a driver call. */
  issueFlush(task: Task): Promise<BioStatus> {
    this.#refuseInDriver("flush", -1, task);
    return this.#writeBack.flush(task);
  }

  /** Drops a block if nobody holds it, it is clean, and no I/O of it is under way. Waits: never. */
  forget(block: number): boolean {
    this.#cache.tellUse();
    const buffer = this.#cache.find(block);
    if (buffer?.isEvictable !== true) return false;
    this.#fetcher.drop(buffer);
    return true;
  }

  /** As `forget`, of the blocks `[first, end)`; those that cannot be dropped stay. Waits: never. */
  forgetBlocks(first: number, end: number): void {
    this.#cache.tellUse();
    for (const buffer of this.#cache.inRange(first, end)) {
      if (buffer.isEvictable) this.#fetcher.drop(buffer);
    }
  }

  /**
   * The end of the client; nothing may be held any more. Answers as `writeDirty`.
   *
   * Waits: until all that is dirty is durable.
   */
  async destroy(task: Task): Promise<BioStatus> {
    await this.#housekeeping.stop(task);
    const status = await this.writeDirty(task);
    await this.#emptyCache(task);
    this.#supply.destroy();
    await this.#writeBack.destroy(task);
    return status;
  }

  #obtain(block: number, isFresh: boolean, task: Task): Awaitable<CachedBlock | BioStatus> {
    if (task.bioLists !== null) this.#refuseInDriver(isFresh ? "new" : "read", block, task);
    assertMaySleep(task, this.label);
    const cache = this.#cache;
    const turn = cache.mayPreempt(task);
    if (turn !== undefined) return this.#obtainLater(turn, block, isFresh, task);
    return this.#holdReady(block, task) ?? this.#fetcher.fetch(block, isFresh, task);
  }

  async #obtainLater(
    turn: Promise<void>,
    block: number,
    isFresh: boolean,
    task: Task,
  ): Promise<CachedBlock | BioStatus> {
    await turn;
    return this.#holdReady(block, task) ?? this.#fetcher.fetch(block, isFresh, task);
  }

  /** Most blocks that are asked for are there. */
  #holdReady(block: number, task: Task): BlockBuffer | null {
    const cache = this.#cache;
    const buffer = cache.find(block);
    if (buffer === null || buffer.isReading || buffer.hasFailed) return null;
    cache.tally.hits += 1;
    cache.hold(buffer, task);
    return buffer;
  }

  async #waitForWrite(buffer: BlockBuffer, task: Task): Promise<void> {
    this.#refuseInDriver("wait for the write", buffer.block, task);
    while (buffer.isWriting) {
      await buffer.wait(task);
      this.#cache.tellUse();
    }
  }

  async #emptyCache(task: Task): Promise<void> {
    const cache = this.#cache;
    for (const list of [cache.clean, cache.dirty]) {
      for (let buffer = list.oldest; buffer !== null; buffer = list.oldest) {
        if (buffer.holds > 0) invariant(false, `${buffer.label} is leaked: it is still held`);
        cache.tellUse();
        if (buffer.isIdle) this.#fetcher.drop(buffer);
        else await buffer.wait(task);
      }
    }
  }

  /** Interrupt context. */
  #ioEnded(buffer: BlockBuffer, status: BioStatus): void {
    this.#cache.tellUse();
    if (buffer.isReading) {
      buffer.isReading = false;
      buffer.readStatus = status;
    } else {
      this.#cache.writeEnded(buffer, status);
    }
    buffer.wake();
    if (buffer.holds === 0) this.#options.memory.becameFreeable();
  }

  #ownHeld(block: CachedBlock, what: string): BlockBuffer {
    if (!isBuffer(block) || block.list === null || block.home !== this.#home) {
      invariant(false, `${this.label}: a block is ${what} that it does not have`);
    }
    if (block.holds === 0) invariant(false, `${block.label} is ${what} that nobody holds`);
    return block;
  }

  #refuseInDriver(what: string, block: number, task: Task): void {
    if (task.bioLists === null) return;
    const where = block < 0 ? "" : ` of block ${String(block)}`;
    invariant(
      false,
      `${what}${where} of ${this.label} inside a driver call: ${task.name} would wait for bios that it parks itself`,
    );
  }
}
