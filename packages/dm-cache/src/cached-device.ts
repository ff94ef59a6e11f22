import { type Bio, type Bytes, SECTOR_BYTES, type Sectors } from "@blkstack/bio";
import type { BlockDevice, Submitter } from "@blkstack/block";
import type { BufioClient, CachedBlock } from "@blkstack/bufio";
import type { Scheduler, Task } from "@blkstack/task";
import { BioBytes } from "./bio-bytes.ts";
import type { BioData } from "./bio-data.ts";
import { BusyBlocks } from "./busy-blocks.ts";
import type { CacheMode } from "./cache-arguments.ts";
import { CacheCounters } from "./cache-counters.ts";

export interface CachedDeviceParts {
  readonly name: string;
  readonly device: BlockDevice;
  readonly client: BufioClient;
  readonly mode: CacheMode;
  readonly scheduler: Scheduler;
  readonly submitter: Submitter;
}

/**
 * A device, what is cached of it, and who works on which blocks.
 *
 * The rules that keep the two together: what is done at once, with no wait in between, is done to
 * blocks that nobody has to himself. Whatever waits, or goes to the device itself, claims its blocks
 * first: to itself if it changes the device or brings blocks without content, with others if it
 * only reads. So no older content can come from the device after newer has been written there.
 */
export class CachedDevice {
  readonly device: BlockDevice;
  readonly client: BufioClient;
  readonly isWriteBack: boolean;
  readonly scheduler: Scheduler;
  readonly submitter: Submitter;
  readonly busy: BusyBlocks;
  readonly counters: CacheCounters = new CacheCounters();
  readonly blockBytes: Bytes;
  readonly blockSectors: Sectors;
  /** What lies in whole blocks; the rest, less than one, is not cached. */
  readonly cachedSectors: Sectors;
  readonly #bytes = new BioBytes();

  constructor(parts: CachedDeviceParts, sizeSectors: Sectors) {
    const { device, client } = parts;
    this.device = device;
    this.client = client;
    this.isWriteBack = parts.mode === "writeback";
    this.scheduler = parts.scheduler;
    this.submitter = parts.submitter;
    this.busy = new BusyBlocks(parts.name, parts.scheduler);
    this.blockBytes = client.blockBytes;
    this.blockSectors = client.blockBytes / SECTOR_BYTES;
    this.cachedSectors = sizeSectors - (sizeSectors % this.blockSectors);
  }

  /** Says which blocks a bio of the device touches. */
  address(bio: Bio, data: BioData): void {
    data.first = Math.floor(bio.sector / this.blockSectors);
    data.end = Math.ceil(bio.endSector / this.blockSectors);
  }

  /** Whether the cache has something of these blocks that the device has not. */
  isAhead(first: number, end: number): boolean {
    if (!this.isWriteBack) return false;
    for (let block = first; block < end; block += 1) {
      const cached = this.client.peek(block);
      if (cached !== null && (cached.isDirty || cached.isWriting)) return true;
    }
    return false;
  }

  /** Whether any of these blocks is on its way to the device. */
  isBeingWritten(first: number, end: number): boolean {
    if (!this.isWriteBack) return false;
    for (let block = first; block < end; block += 1) {
      if (this.client.peek(block)?.isWriting === true) return true;
    }
    return false;
  }

  /** Whether all blocks are cached, and none of them is being written. */
  isWritable(first: number, end: number): boolean {
    for (let block = first; block < end; block += 1) {
      const cached = this.client.peek(block);
      if (cached === null || cached.isWriting) return false;
    }
    return true;
  }

  /** Copies what is cached into a bio; false if not all is. Waits: never. */
  readCached(bio: Bio, { first, end }: BioData, task: Task): boolean {
    this.#bytes.begin(bio);
    for (let block = first; block < end; block += 1) {
      const cached = this.client.get(block, task);
      if (cached === null) return false;
      this.#bytes.fill(cached.data, this.startIn(block, bio), this.endIn(block, bio));
      this.client.release(cached, task);
    }
    return true;
  }

  /**
   * Copies a bio into those of its blocks that are cached. `isNewer`: the device is not written, so
   * that they are dirty then. Waits: never.
   */
  writeCached(bio: Bio, { first, end }: BioData, isNewer: boolean, task: Task): void {
    this.#bytes.begin(bio);
    for (let block = first; block < end; block += 1) {
      const start = this.startIn(block, bio);
      const stop = this.endIn(block, bio);
      const cached = this.client.get(block, task);
      if (cached === null) {
        this.#bytes.skip(stop - start);
        continue;
      }
      this.#bytes.take(cached.data, start, stop);
      if (isNewer) this.client.markDirty(cached, start, stop);
      this.client.release(cached, task);
    }
  }

  /** Copies the part of a bio that lies in a held block, which becomes dirty. */
  writeBlock(bio: Bio, held: CachedBlock, bytes: BioBytes): void {
    const start = this.startIn(held.block, bio);
    const stop = this.endIn(held.block, bio);
    bytes.take(held.data, start, stop);
    this.client.markDirty(held, start, stop);
  }

  /** Where in a block the part begins, and ends, that a bio touches; in bytes. */
  startIn(block: number, bio: Bio): Bytes {
    return Math.max(0, (bio.sector - block * this.blockSectors) * SECTOR_BYTES);
  }

  endIn(block: number, bio: Bio): Bytes {
    const end = (bio.endSector - block * this.blockSectors) * SECTOR_BYTES;
    return Math.min(this.blockBytes, end);
  }
}
