import { type Bio, bioEndio, bioError, BioFlag, BioOp, BioStatus } from "@blkstack/bio";
import type { Sectors } from "@blkstack/bio";
import {
  type BlockDevice,
  type Extent,
  RequestQueue,
  setData,
  stackingLimits,
} from "@blkstack/block";
import { type Access, AccessMode, type Awaitable, type Scheduler, type Task } from "@blkstack/task";
import { BioMapper, type MapperOptions, type MapperOwner } from "./bio-mapper.ts";
import type { BioPools } from "./bio-pools.ts";
import { DeferredBios } from "./deferred-bios.ts";
import { Drain } from "./drain.ts";
import type { Interruption } from "./interruption.ts";
import type { LoadedTable } from "./loaded-table.ts";

/** What becomes of an error of the flush before a bio's data, when the data itself goes well. */
export type PreflushError = "propagate" | "drop";

// Constants of this module are part of the machine code; what is imported is looked up each time.
const PREFLUSH = BioFlag.Preflush;
const FLUSH = BioOp.Flush;

export interface MappedDeviceOptions extends MapperOptions {
  readonly name: string;
  readonly minor: number;
  readonly preflushError: PreflushError;
}

/** The major number of mapped devices. */
const MAJOR = 253;

/**
 * A block device whose sectors lie where its table says. Takes bios at any time: while it is
 * suspended they wait, in order.
 */
export class MappedDevice implements BlockDevice, MapperOwner {
  readonly name: string;
  readonly minor: number;
  /** `253:0`, as tables name it. */
  readonly deviceNumber: string;
  /** `dm-0`, as logs name it. */
  readonly kernelName: string;
  /** As the live table has it; changes at a swap only. */
  sizeSectors: Sectors = 0;
  /** As the live table has it. */
  isReadOnly = false;
  readonly queue: RequestQueue;
  readonly scheduler: Scheduler;
  /** Bios that wait for a resume, or for the worker. */
  readonly deferred: DeferredBios;
  /** Tasks that sleep inside `submitBio`. */
  readonly submitters: Drain;
  /** Bios handed to targets that have not ended. */
  readonly inFlight: Drain;
  readonly #options: MappedDeviceOptions;
  readonly #isPropagating: boolean;
  readonly #reading: Access;
  readonly #writing: Access;
  #live: LoadedTable | null = null;
  #mapper: BioMapper | null = null;
  /** Of earlier tables, and in use when those went, by pieces of bios that had been pushed back. */
  readonly #oldPools: BioPools[] = [];

  constructor(options: MappedDeviceOptions) {
    const { name, minor, scheduler, submitter } = options;
    this.name = name;
    this.minor = minor;
    this.deviceNumber = `${String(MAJOR)}:${String(minor)}`;
    this.kernelName = `dm-${String(minor)}`;
    this.scheduler = scheduler;
    this.queue = new RequestQueue(name, stackingLimits());
    this.deferred = new DeferredBios(name, scheduler, submitter);
    this.submitters = new Drain(`submitters of ${name}`, scheduler);
    this.inFlight = new Drain(`bios in flight of ${name}`, scheduler);
    this.#options = options;
    this.#isPropagating = options.preflushError === "propagate";
    this.#reading = { object: this.deferred, mode: AccessMode.Read, label: `submit to ${name}` };
    this.#writing = { object: this.deferred, mode: AccessMode.Write, label: `block ${name}` };
  }

  /** Where the bios of the live table come from. */
  get pools(): BioPools | null {
    return this.#mapper?.pools ?? null;
  }

  /** Whether a suspend is under way that wants bios back rather than wait for them. */
  get isPushingBack(): boolean {
    return this.deferred.isCollecting;
  }

  set isPushingBack(isPushingBack: boolean) {
    this.deferred.isCollecting = isPushingBack;
  }

  /** Whether targets have bios, or a task is on its way to give them one. */
  get isBusy(): boolean {
    return this.submitters.count > 0 || this.inFlight.count > 0;
  }

  get live(): LoadedTable | null {
    return this.#live;
  }

  /**
   * Cuts, clones and sends the bio to the targets.
   *
   * Waits: for clones, and as the targets do; not while the device is suspended, for then the bio
   * is kept. A bio that must not wait ends with Again then, a read-ahead with an I/O error.
   */
  submitBio(bio: Bio, task: Task): Awaitable<void> {
    const mapper = this.#mapper;
    if (task.scheduler.isExploring) task.scheduler.touch(this.#reading);
    if (mapper === null || this.deferred.isHeld) {
      this.#keep(bio, mapper);
      return;
    }
    const isFlush = (bio.flags & PREFLUSH) !== 0 || bio.op === FLUSH;
    const done = isFlush ? this.#flush(mapper, bio, task) : mapper.map(bio, task);
    // Nobody else has run since, so that only who sleeps in here must be waited for.
    if (done !== undefined) return this.#leaveLater(done, task);
  }

  /** Suspended, its targets are not to be asked, and nothing is known. */
  findExtent(sector: Sectors, extent: Extent): void {
    const table = this.deferred.isHeld ? undefined : this.#live?.table;
    const entry = table?.find(sector) ?? null;
    if (entry !== null) extent.sectors = Math.min(extent.sectors, entry.end - sector);
    if (entry?.target.findExtent === undefined) setData(extent);
    else entry.target.findExtent(sector, extent);
  }

  takesBack(): boolean {
    this.scheduler.touch(this.#reading);
    return this.isPushingBack;
  }

  pushBack(bio: Bio): void {
    this.deferred.addPushedBack(bio);
  }

  /** The data goes by the worker: interrupt context is no place to submit from. */
  flushEnded(original: Bio, status: BioStatus): void {
    if (status !== BioStatus.Ok && this.#isPropagating) {
      bioError(original, status);
      return;
    }
    original.flags &= ~BioFlag.Preflush;
    this.deferred.add(original);
  }

  /**
   * Lets no bio in any more. Waits: until no task is inside, and the worker is done; for the former
   * only until the interruption is raised.
   */
  async block(task: Task, interruption: Interruption | null = null): Promise<void> {
    task.scheduler.touch(this.#writing);
    this.deferred.isHeld = true;
    await this.submitters.wait(task, interruption);
    await this.deferred.drain(task);
  }

  /** Lets bios in again, those that waited first. Waits: never. */
  unblock(task: Task): void {
    task.scheduler.touch(this.#writing);
    this.deferred.isHeld = false;
    this.deferred.kick();
  }

  /** Puts another table in place; nothing may be in flight. Answers the one before. */
  async swap(loaded: LoadedTable | null, task: Task): Promise<LoadedTable | null> {
    task.scheduler.touch(this.#writing);
    const before = this.#live;
    const old = this.#mapper;
    // New pools, for the new targets may keep other things with each bio.
    this.#mapper = loaded === null ? null : new BioMapper(loaded.table, this, this.#options);
    this.#live = loaded;
    this.sizeSectors = loaded?.table.sizeSectors ?? 0;
    this.isReadOnly = loaded?.isReadOnly ?? false;
    this.queue.limits = loaded?.limits ?? stackingLimits();
    if (old !== null) this.#oldPools.push(old.pools);
    await this.#destroyIdlePools(task);
    return before;
  }

  /** The end: what was kept fails. Waits: until the worker is done. */
  async destroy(task: Task): Promise<void> {
    await this.queue.markDying(task);
    await this.deferred.destroy(task);
    await this.#destroyIdlePools(task);
  }

  /** Without a table there is nothing to wait for. */
  #keep(bio: Bio, mapper: BioMapper | null): void {
    if (mapper === null) bioError(bio, BioStatus.IoError);
    else if ((bio.flags & BioFlag.NoWait) !== 0) bioError(bio, BioStatus.Again);
    else if ((bio.flags & BioFlag.ReadAhead) !== 0) bioError(bio, BioStatus.IoError);
    else this.deferred.add(bio);
  }

  #flush(mapper: BioMapper, bio: Bio, task: Task): Awaitable<void> {
    if (mapper.table.flushBios > 0) {
      if ((bio.flags & BioFlag.NoWait) === 0) return mapper.flush(bio, task);
      bioError(bio, BioStatus.Again);
      return;
    }
    // Nobody below has anything to flush.
    bio.flags &= ~BioFlag.Preflush;
    if (bio.sizeBytes > 0 && bio.op !== FLUSH) return mapper.map(bio, task);
    bioEndio(bio);
  }

  /** Others wait for another table, or for the end of the device. */
  async #destroyIdlePools(task: Task): Promise<void> {
    for (const pools of this.#oldPools.splice(0)) {
      if (pools.liveCount === 0) await pools.destroy(task);
      else this.#oldPools.push(pools);
    }
  }

  async #leaveLater(done: Promise<void>, task: Task): Promise<void> {
    this.submitters.enter(task);
    await done;
    this.submitters.leave(task);
  }
}
