import {
  assertSplittable,
  type Bio,
  BIO_INLINE_VECS,
  BIO_MAX_VECS,
  type BioList,
  BioOp,
  type BioPool,
  BioState,
  cloneBio,
  createVecs,
  invariant,
  isBio,
  type Sectors,
  splitBio,
} from "@blkstack/bio";
import { BlockError, type Submitter } from "@blkstack/block";
import { type Memory, Slab } from "@blkstack/memory";
import { Mempool, OutOfMemoryError } from "@blkstack/mempool";
import {
  assertMaySleep,
  type Awaitable,
  type Gfp,
  GfpBit,
  isPending,
  mayWait,
  type Scheduler,
  type Task,
  type Waitable,
  type WorkItem,
  type WorkQueue,
} from "@blkstack/task";
import { BvecPool, freeVecTable } from "./bvec-pool.ts";
import { bioBytes } from "./element-bytes.ts";
import { PooledBio, type VecTable } from "./pooled-bio.ts";
import { rescueBoth, type RescuePolicy } from "./rescue-policy.ts";
import { Rescuer } from "./rescuer.ts";

// Constants of this module are part of the machine code; what is imported is looked up each time.
const INLINE_VECS = BIO_INLINE_VECS;
const LISTED = BioState.Listed;

export interface BioSetOptions {
  /** The set is called `bio_set "NAME"`, its slab `bios of NAME`. */
  readonly name: string;
  readonly scheduler: Scheduler;
  readonly memory: Memory;
  /** How many bios can be live at once without memory; at least 1. */
  readonly poolSize: number;
  /** Makes what a driver keeps with each bio, in `bio.pad`; once per pooled bio, never zeroed. */
  readonly frontPad?: () => object;
  /** Whether bios have room for vectors of their own; clones need none. */
  readonly needBvecs?: boolean;
  /** Whether bios parked on a task that is to wait are submitted by a thread of the set. */
  readonly rescuer?: boolean;
  /** The way down for rescued bios. */
  readonly submitter?: Submitter;
  /** A queue for the rescuer, which it else has to itself. Sharing one between levels deadlocks. */
  readonly rescueQueue?: WorkQueue;
  /** `rescueBoth` unless told. */
  readonly rescue?: RescuePolicy;
}

export interface BioSetCounters {
  /** Allocations that had parked bios handed to the rescuer. */
  readonly punts: number;
  /** Bios that the rescuer has submitted. */
  readonly rescued: number;
}

/** One allocation that could not be served on the spot. */
interface Allocation {
  readonly gfp: Gfp;
  /** What the attempts are made with: `gfp`, or that without waiting until parked bios are safe. */
  mask: Gfp;
  readonly vecCount: number;
  readonly task: Task;
}

/**
 * The bios of one level of a stack: `poolSize` of them can be live with no memory at all, if each
 * is submitted before the next is allocated, and freed when it ends. Every level has its own set.
 *
 * A bio that is submitted from inside a driver is only parked on the task. A driver that waits for
 * its second bio would wait for the first, which cannot start before the driver returns. So a set
 * with a rescuer hands its parked bios to a thread of its own before it lets anybody wait.
 *
 * Taught by "block: Avoid deadlocks with bio allocation by stacking drivers" (2012).
 */
export class BioSet implements BioPool, Waitable {
  readonly label: string;
  readonly bioPool: Mempool<PooledBio>;
  /** Null when bios have no vectors of their own. */
  readonly bvecPool: BvecPool | null;
  /** Null when the set has none, and so never lowers a mask. */
  readonly rescuer: Rescuer | null;
  readonly #scheduler: Scheduler;
  readonly #policy: RescuePolicy;
  #serial = 0;
  #punts = 0;

  /** Throws a BlockError (ENOMEM) when there is no memory for the reserve. */
  constructor(options: BioSetOptions) {
    const { name, scheduler, memory, poolSize, frontPad, needBvecs = false } = options;
    this.label = `bio_set "${name}"`;
    this.#scheduler = scheduler;
    this.#policy = options.rescue ?? rescueBoth;
    const inlineVecs = needBvecs ? BIO_INLINE_VECS : 0;
    const make = (): PooledBio => {
      const bio = new PooledBio(this, frontPad?.() ?? null, createVecs(inlineVecs));
      bio.vecs = bio.inlineVecs;
      return bio;
    };
    const elementBytes = bioBytes(inlineVecs, frontPad !== undefined);
    const allocator = new Slab(memory, `bios of ${name}`, make, { elementBytes });
    const pool = { scheduler, label: this.label, allocator, minNr: poolSize };
    this.bioPool = reserved(() => new Mempool(pool));
    try {
      this.bvecPool = needBvecs
        ? reserved(() => new BvecPool({ scheduler, memory, name, minNr: poolSize }))
        : null;
      this.rescuer = this.#createRescuer(options);
    } catch (error) {
      this.bioPool.destroy();
      throw error;
    }
  }

  get counters(): BioSetCounters {
    return { punts: this.#punts, rescued: this.rescuer?.submittedCount ?? 0 };
  }

  /** The bios that wait for `rescueWork`. */
  get rescueList(): BioList | null {
    return this.rescuer?.list ?? null;
  }

  get rescueWork(): WorkItem | null {
    return this.rescuer?.work ?? null;
  }

  /** The bios that are live: one of them must end before somebody who waits gets one. */
  blockers(): readonly object[] {
    return this.bioPool.blockers();
  }

  /**
   * Allocates a bio with room for at least `vecCount` vectors: 0, as clones have, up to 256.
   *
   * Null when `gfp` forbids to wait and nothing is there, or when the set has no such bios.
   * Waits: if `gfp` allows, until a bio of the set is freed. Then never null.
   */
  alloc(gfp: Gfp, vecCount: number, task: Task): Awaitable<Bio | null> {
    if (vecCount > 0 && !this.#canHaveVecs(vecCount)) return null;
    const mask = this.rescuer === null ? gfp : this.#firstMask(gfp, task);
    const bio = this.bioPool.alloc(mask, task);
    if (bio === null && mask === gfp) return null;
    if (bio === null || !isBio(bio)) return this.#allocSlowly({ gfp, mask, vecCount, task }, bio);
    if (vecCount <= INLINE_VECS) return this.#handOut(bio, task, vecCount > 0 ? INLINE_VECS : 0);
    return this.#addTable(bio, vecCount, gfp, task);
  }

  /** Takes a bio back, with its vectors; `Bio.put` calls this. Waits: never. */
  release(bio: Bio): void {
    // In an `if`, so that no message is composed while all is well.
    if (!this.#owns(bio) || bio.isFree || (bio.state & LISTED) !== 0) return this.#refuse(bio);
    if (bio.table !== null) freeTableOf(bio, bio.table);
    bio.reset();
    bio.state = 0;
    bio.references = 1;
    bio.vecs = bio.inlineVecs;
    bio.isFree = true;
    bio.allocatedBy = null;
    this.bioPool.free(bio);
  }

  /**
   * Cuts the first `sectors` off `bio` into a new bio of this set, which shares its vectors and is
   * not chained to it. Null, and `bio` untouched, when there is none without waiting.
   *
   * Waits: as `alloc`.
   */
  split(bio: Bio, sectors: Sectors, gfp: Gfp, task: Task): Awaitable<Bio | null> {
    if (bio.op === BioOp.ZoneAppend) {
      this.#scheduler.warn("a zone append cannot be split");
      return null;
    }
    assertSplittable(bio, sectors);
    const front = this.alloc(gfp, 0, task);
    return isPending(front)
      ? front.then((late) => cutInto(late, bio, sectors))
      : cutInto(front, bio, sectors);
  }

  /** As `split`, but answers `bio` itself when it is not longer than `sectors`. */
  nextSplit(bio: Bio, sectors: Sectors, gfp: Gfp, task: Task): Awaitable<Bio | null> {
    return sectors >= bio.sectors ? bio : this.split(bio, sectors, gfp, task);
  }

  /** A second view of what is left of `bio`, sharing its vectors, with no endIo. Waits: as `alloc`. */
  clone(bio: Bio, gfp: Gfp, task: Task): Awaitable<Bio | null> {
    const clone = this.alloc(gfp, 0, task);
    return isPending(clone) ? clone.then((late) => viewOf(bio, late)) : viewOf(bio, clone);
  }

  /**
   * The end of the set. Of its bios only those that wait for the rescuer may be live.
   *
   * Waits: until the rescuer has submitted them.
   */
  destroy(task: Task): Awaitable<void> {
    // The rescuer first: the bios that it submits end in the pools.
    const stopped = this.stopRescuer(task);
    if (isPending(stopped)) {
      return stopped.then(() => {
        this.destroyPools();
      });
    }
    this.destroyPools();
  }

  protected stopRescuer(task: Task): Awaitable<void> {
    return this.rescuer?.stop(task);
  }

  protected destroyPools(): void {
    this.bvecPool?.destroy();
    this.bioPool.destroy();
  }

  /** Gives back a bio that is of no use, since it cannot have its vectors. */
  protected giveUp(bio: PooledBio): void {
    bio.allocatedBy = null;
    this.bioPool.free(bio);
  }

  #canHaveVecs(vecCount: number): boolean {
    if (this.bvecPool === null) {
      this.#scheduler.warn(`${this.label} has no vectors, and was asked for ${String(vecCount)}`);
    }
    return this.bvecPool !== null && vecCount <= BIO_MAX_VECS;
  }

  /** The mask that does not make parked bios wait with us. */
  #firstMask(gfp: Gfp, task: Task): Gfp {
    const { bioLists } = task;
    if (bioLists === null || this.rescuer === null || !mayWait(gfp)) return gfp;
    if (!this.#policy.triesWithoutWaiting(bioLists)) return gfp;
    assertMaySleep(task, this.label);
    return gfp & ~GfpBit.Wait;
  }

  #addTable(bio: PooledBio, vecCount: number, gfp: Gfp, task: Task): Awaitable<Bio | null> {
    const mask = this.#firstMask(gfp, task);
    if (this.bvecPool === null) invariant(false, `${this.label} has no vectors`);
    bio.allocatedBy = task;
    const table = this.bvecPool.alloc(mask, vecCount, task);
    if (isPending(table) || (table === null && mask !== gfp)) {
      return this.#addTableSlowly({ gfp, mask, vecCount, task }, bio, table);
    }
    return this.#handOutWith(table, bio, task);
  }

  async #allocSlowly(
    allocation: Allocation,
    first: Awaitable<PooledBio | null>,
  ): Promise<Bio | null> {
    const { gfp, vecCount, task } = allocation;
    let bio = isPending(first) ? await first : first;
    if (bio === null && allocation.mask !== gfp && this.#policy.puntsForBios) {
      await this.#punt(allocation);
      bio = await this.bioPool.alloc(gfp, task);
    }
    if (bio === null) return null;
    if (vecCount <= BIO_INLINE_VECS || this.bvecPool === null) {
      return this.#handOut(bio, task, vecCount > 0 ? BIO_INLINE_VECS : 0);
    }
    bio.allocatedBy = task;
    const table = this.bvecPool.alloc(allocation.mask, vecCount, task);
    return this.#addTableSlowly(allocation, bio, table);
  }

  async #addTableSlowly(
    allocation: Allocation,
    bio: PooledBio,
    first: Awaitable<VecTable | null>,
  ): Promise<Bio | null> {
    const { gfp, vecCount, task } = allocation;
    let table = isPending(first) ? await first : first;
    if (table === null && allocation.mask !== gfp && this.#policy.puntsForVecs) {
      // The second place where parked bios may be what we are about to wait for.
      await this.#punt(allocation);
      table = (await this.bvecPool?.alloc(gfp, vecCount, task)) ?? null;
    }
    return this.#handOutWith(table, bio, task);
  }

  /** Makes waiting safe. Once: afterwards the allocation goes on with the caller's own mask. */
  #punt(allocation: Allocation): Awaitable<void> {
    const { task } = allocation;
    allocation.mask = allocation.gfp;
    this.#punts += 1;
    if (this.rescuer === null || task.bioLists === null) return;
    return this.#policy.punt(this.rescuer, task.bioLists, task);
  }

  #handOut(bio: PooledBio, task: Task, vecMax: number): Bio {
    this.#serial += 1;
    bio.serial = this.#serial;
    bio.isFree = false;
    bio.allocatedBy = task;
    bio.vecMax = vecMax;
    return bio;
  }

  #handOutWith(table: VecTable | null, bio: PooledBio, task: Task): Bio | null {
    if (table === null) {
      this.giveUp(bio);
      return null;
    }
    table.holder = bio;
    bio.table = table;
    bio.vecs = table.vecs;
    return this.#handOut(bio, task, table.vecs.length);
  }

  /** All bios that name this set as their pool were made by it, and it makes no others. */
  #owns(bio: Bio): bio is PooledBio {
    return bio.pool === this;
  }

  #refuse(bio: Bio): never {
    const name = `bio ${String(bio.serial)} of ${this.label}`;
    invariant(this.#owns(bio), `${this.label}: not a bio of this set`);
    invariant(!bio.isFree, `double free: ${name}`);
    invariant(false, `use after free: ${name} is put while on a list`);
  }

  #createRescuer(options: BioSetOptions): Rescuer | null {
    const { name, scheduler, rescuer = false, submitter, rescueQueue: queue } = options;
    if (!rescuer) return null;
    invariant(submitter !== undefined, `${this.label}: a rescuer without a way down`);
    const common = { scheduler, name, set: this, submitter };
    return new Rescuer(queue === undefined ? common : { ...common, queue });
  }
}

function reserved<T>(create: () => T): T {
  try {
    return create();
  } catch (cause) {
    if (!(cause instanceof OutOfMemoryError)) throw cause;
    throw new BlockError("BLK_STATE", cause.errno, cause.message, { cause });
  }
}

function freeTableOf(bio: PooledBio, table: VecTable): void {
  bio.table = null;
  freeVecTable(table);
}

function cutInto(front: Bio | null, bio: Bio, sectors: Sectors): Bio | null {
  if (front !== null) splitBio(bio, sectors, front);
  return front;
}

function viewOf(bio: Bio, clone: Bio | null): Bio | null {
  if (clone !== null) cloneBio(bio, clone);
  return clone;
}
