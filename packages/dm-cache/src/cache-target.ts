import { type Bio, bioEndio, BioFlag, BioOp, BioStatus, statusName } from "@blkstack/bio";
import {
  BlockError,
  type DeviceRange,
  EndIoResult,
  MapResult,
  type QueueLimits,
  type StatusKind,
  type Target,
  type TargetContext,
} from "@blkstack/block";
import type { Task } from "@blkstack/task";
import type { BioData } from "./bio-data.ts";
import { argumentsText, type CacheArguments } from "./cache-arguments.ts";
import { cacheStatus } from "./cache-status.ts";
import type { CachedDevice } from "./cached-device.ts";
import { isForcedThrough, type SlowPath } from "./slow-path.ts";

const READ = BioOp.Read;
const WRITE = BioOp.Write;
const OK = BioStatus.Ok;
const PREFLUSH = BioFlag.Preflush;
const SUBMITTED = MapResult.Submitted;
const REMAPPED = MapResult.Remapped;

/** Serves what is cached at once, and leaves to workers what must wait. */
export class CacheTarget implements Target {
  readonly flushBios = 1;
  readonly discardBios = 1;
  readonly writeZeroesBios = 1;
  readonly secureEraseBios = 1;
  readonly #cached: CachedDevice;
  readonly #slow: SlowPath;
  readonly #context: TargetContext;
  readonly #arguments: CacheArguments;

  constructor(cached: CachedDevice, slow: SlowPath, context: TargetContext, given: CacheArguments) {
    this.#cached = cached;
    this.#slow = slow;
    this.#context = context;
    this.#arguments = given;
  }

  /** Waits: never. A hit makes no promise; nor does a write that goes through. */
  map(bio: Bio, task: Task): MapResult {
    const data = this.#context.perBioData(bio) as BioData;
    const cached = this.#cached;
    data.isClaimed = false;
    data.isExclusive = false;
    bio.device = cached.device;
    if ((bio.flags & PREFLUSH) !== 0 || bio.op === BioOp.Flush) {
      if (!cached.isWriteBack) return REMAPPED;
      this.#slow.add(bio, data);
      return SUBMITTED;
    }
    bio.sector -= this.#context.begin;
    const { cachedSectors } = cached;
    if (bio.endSector > cachedSectors) {
      // The last sectors, too few for a block, are never cached.
      if (bio.sector >= cachedSectors) return REMAPPED;
      this.#context.acceptPartial(bio, cachedSectors - bio.sector);
    }
    cached.address(bio, data);
    if (bio.op === READ) return this.#mapRead(bio, data, task);
    if (bio.op === WRITE) return this.#mapWrite(bio, data, task);
    this.#slow.add(bio, data);
    return SUBMITTED;
  }

  /** Interrupt context. */
  endIo(bio: Bio): EndIoResult {
    const data = this.#context.perBioData(bio) as BioData;
    if (!data.isClaimed) return EndIoResult.Done;
    data.isClaimed = false;
    // What the device has now is anybody's guess, and the cache must not know better.
    if (bio.status !== OK) this.#cached.client.forgetBlocks(data.first, data.end);
    this.#cached.busy.release(data, bio);
    return EndIoResult.Done;
  }

  status(kind: StatusKind): string {
    if (kind === "info") return cacheStatus(this.#cached, this.#arguments);
    return argumentsText(this.#arguments, this.#context.deviceLabel(this.#cached.device));
  }

  async message(words: readonly string[], task: Task): Promise<string> {
    const [verb, argument, ...others] = words;
    const { client } = this.#cached;
    if (verb === "minimum" && argument !== undefined && others.length === 0) {
      if (!/^[1-9]\d{0,9}$/.test(argument)) throw refusal(`minimum "${argument}"`);
      client.minimumBuffers = Number(argument);
      return "";
    }
    if (argument !== undefined) throw refusal(words.join(" "));
    if (verb === "flush") return this.#answerFlush(task);
    if (verb === "writeback") {
      await client.writeDirtyAsync(task);
      return "";
    }
    if (verb === "stats") return cacheStatus(this.#cached, this.#arguments);
    throw refusal(words.join(" "));
  }

  devices(): DeviceRange[] {
    const { sizeSectors } = this.#context;
    return [{ device: this.#cached.device, startSector: 0, sizeSectors }];
  }

  /** What is acknowledged is not durable before a flush, whatever is below. */
  adjustLimits(limits: QueueLimits): void {
    if (this.#cached.isWriteBack) limits.hasVolatileCache = true;
  }

  /** Has most of it written while bios still flow. */
  async presuspend(task: Task): Promise<void> {
    await this.#cached.client.writeDirtyAsync(task);
  }

  /** Who suspends a device may look at the one below. */
  async postsuspend(task: Task): Promise<void> {
    const status = await this.#slow.flush(task);
    if (status === OK) return;
    // There is nobody to tell it to now.
    this.#slow.keep(status);
    this.#context.host.log(`cache: write-back failed before a suspend: ${statusName(status)}`);
  }

  async destroy(task: Task): Promise<void> {
    await this.#slow.destroy(task);
    const status = await this.#cached.client.destroy(task);
    if (status === OK) return;
    this.#context.host.log(`cache: write-back failed at the end: ${statusName(status)}`);
  }

  #mapRead(bio: Bio, data: BioData, task: Task): MapResult {
    const cached = this.#cached;
    const { first, end } = data;
    const { counters } = cached;
    if (bio.sectors >= this.#arguments.bypassSectors && !cached.isAhead(first, end)) {
      counters.bypassed += 1;
      return REMAPPED;
    }
    if (!cached.busy.isExclusive(first, end) && cached.readCached(bio, data, task)) {
      counters.readHits += 1;
      bioEndio(bio);
      return SUBMITTED;
    }
    counters.readMisses += 1;
    this.#slow.add(bio, data);
    return SUBMITTED;
  }

  #mapWrite(bio: Bio, data: BioData, task: Task): MapResult {
    const cached = this.#cached;
    const { first, end } = data;
    const { counters, isWriteBack } = cached;
    const isLarge = bio.sectors >= this.#arguments.bypassSectors;
    if (!isWriteBack || isLarge || isForcedThrough(bio)) {
      counters.bypassed += 1;
      return this.#mapThrough(bio, data, task);
    }
    if (!cached.busy.isExclusive(first, end) && cached.isWritable(first, end)) {
      cached.writeCached(bio, data, true, task);
      counters.writeHits += 1;
      bioEndio(bio);
      return SUBMITTED;
    }
    counters.writeMisses += 1;
    this.#slow.add(bio, data);
    return SUBMITTED;
  }

  async #answerFlush(task: Task): Promise<string> {
    const status = await this.#slow.flush(task);
    if (status === OK) return "";
    const what = `what is dirty could not be written: ${statusName(status)}`;
    throw new BlockError("BLK_DEVICE", "EIO", `cache: ${what}`);
  }

  /** Sends a write to the device, with its blocks claimed until it ends. */
  #mapThrough(bio: Bio, data: BioData, task: Task): MapResult {
    const cached = this.#cached;
    data.isExclusive = true;
    if (cached.isBeingWritten(data.first, data.end) || !cached.busy.tryClaim(data, bio)) {
      this.#slow.add(bio, data);
      return SUBMITTED;
    }
    data.isClaimed = true;
    cached.writeCached(bio, data, false, task);
    return REMAPPED;
  }
}

function refusal(what: string): BlockError {
  const known = "flush, writeback, stats, minimum BLOCKS";
  return new BlockError("BLK_STATE", "EINVAL", `cache: message "${what}": give one of ${known}`);
}
