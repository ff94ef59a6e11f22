import { type Bio, bioEndio, bioError, BioFlag, BioOp, BioStatus, cloneBio } from "@blkstack/bio";
import { invariant, isBio, SECTOR_BYTES, type Sectors } from "@blkstack/bio";
import { MapResult, type Submitter } from "@blkstack/block";
import { type Awaitable, GFP_NOIO, GFP_NOWAIT, type Task } from "@blkstack/task";
import { BioPools, type BioPoolsOptions } from "./bio-pools.ts";
import { endClone } from "./clone-end.ts";
import type { DmIo, IoOwner } from "./dm-io.ts";
import { FanOut } from "./fan-out.ts";
import type { FanOutPolicy } from "./fan-out-policy.ts";
import type { Offload } from "./offload.ts";
import type { SplitPolicy } from "./split-policy.ts";
import type { Table } from "./table.ts";
import type { TableTarget } from "./table-target.ts";
import { accountOf, targetIoOf } from "./target-io.ts";

// Constants of this module are part of the machine code; what is imported is looked up each time.
const WRITE = BioOp.Write;
const OK = BioStatus.Ok;
const NO_WAIT = BioFlag.NoWait;
const REMAPPED = MapResult.Remapped;
const SECTOR_SIZE_BYTES = SECTOR_BYTES;

export interface MapperOptions extends Omit<BioPoolsOptions, "isRescued"> {
  readonly splitPolicy: SplitPolicy;
  /** Null: parked bios stay where they are when a map sleeps. */
  readonly offload: Offload | null;
  readonly fanOut: FanOutPolicy;
}

/** A mapped device, to the mapper of its table. */
export interface MapperOwner extends IoOwner {
  readonly name: string;
}

/** Sends bios through one table: cuts, clones, and hands the clones to the targets. */
export class BioMapper {
  readonly table: Table;
  readonly submitter: Submitter;
  readonly pools: BioPools;
  readonly owner: MapperOwner;
  readonly #splitPolicy: SplitPolicy;
  readonly #offload: Offload | null;
  readonly #fanOut: FanOut;

  constructor(table: Table, owner: MapperOwner, options: MapperOptions) {
    this.table = table;
    this.submitter = options.submitter;
    const isRescued = options.offload !== null;
    this.pools = new BioPools(owner.name, table, { ...options, isRescued });
    this.owner = owner;
    this.#splitPolicy = options.splitPolicy;
    this.#offload = options.offload;
    this.#fanOut = new FanOut(this, options.fanOut);
  }

  /**
   * Takes a bio other than a flush through the table.
   *
   * Waits: for a clone, and as the targets do. A bio that must not wait ends with Again instead.
   */
  map(bio: Bio, task: Task): Awaitable<void> {
    if (bio.sizeBytes === 0) {
      bioEndio(bio);
      return;
    }
    const clone = this.pools.ios.alloc(gfpFor(bio), 0, task);
    if (clone === null || isBio(clone)) return this.#mapFirst(bio, clone, task);
    return this.#mapWaiting(bio, clone, task);
  }

  /** Sends empty flushes to every target that takes them, in table order. Waits: as `map`. */
  flush(bio: Bio, task: Task): Awaitable<void> {
    return this.#fanOut.flush(bio, task);
  }

  /**
   * Maps one piece that begins where `clone`, a view of the whole rest, begins; afterwards
   * `io.pieceSectors` says how long it was. Waits: as the target does.
   */
  mapPiece(clone: Bio, io: DmIo, task: Task): Awaitable<void> {
    const entry = this.table.find(clone.sector);
    const sectors = entry?.pieceSectors(clone.sector, clone.sectors) ?? clone.sectors;
    if (entry === null || entry.copies(clone.op) === 0) {
      clone.put();
      io.fail(entry === null ? BioStatus.IoError : BioStatus.NotSupported);
      io.pieceSectors = sectors;
      return;
    }
    this.prepare(clone, io, entry, sectors);
    return this.#fanOut.mapCopies(clone, io, entry, task);
  }

  /** Makes `clone` the piece of `sectors` from its sector on, for `entry`. */
  prepare(clone: Bio, io: DmIo, entry: TableTarget, sectors: Sectors): void {
    const tio = targetIoOf(clone);
    tio.io = io;
    tio.target = entry;
    tio.copyIndex = 0;
    tio.hasSiblings = false;
    tio.sector = clone.sector;
    tio.sectors = sectors;
    clone.sizeBytes = sectors * SECTOR_SIZE_BYTES;
    clone.parent = io.original;
    clone.endIo = endClone;
    io.pieceSectors = sectors;
  }

  /** Has the target map a prepared clone, and does what it says. Waits: as the target does. */
  mapClone(clone: Bio, io: DmIo, entry: TableTarget, task: Task): Awaitable<void> {
    io.pending += 1;
    io.isMapping = true;
    const outerHook = task.sleepHook;
    if (this.#offload !== null) task.sleepHook = this.#offload.rescueParked;
    const result = entry.target.map(clone, task);
    if (typeof result !== "number") {
      return this.#mapSleeping(result, { clone, io }, task, outerHook);
    }
    task.sleepHook = outerHook;
    io.isMapping = false;
    // The clone is the target's from here on, unless the target said otherwise.
    if (result === REMAPPED) return this.submitter.submitBio(clone, task);
    if (result !== MapResult.Submitted) settle(result, clone, io);
  }

  async #mapWaiting(bio: Bio, allocation: Promise<Bio | null>, task: Task): Promise<void> {
    await this.#mapFirst(bio, await allocation, task);
  }

  #mapFirst(bio: Bio, clone: Bio | null, task: Task): Awaitable<void> {
    const entry = this.table.find(bio.sector);
    if (clone === null || entry === null) {
      clone?.put();
      bioError(bio, clone === null ? BioStatus.Again : BioStatus.IoError);
      return;
    }
    const wanted = bio.sectors;
    const sectors = entry.pieceSectors(bio.sector, wanted);
    if (bio.op > WRITE || (bio.flags & NO_WAIT) !== 0) {
      const refusal = refusalOf(bio, entry, sectors < wanted);
      if (refusal !== OK) {
        clone.put();
        bioError(bio, refusal);
        return;
      }
    }
    const io = accountOf(clone);
    io.begin(this.owner, bio, clone);
    if (sectors < wanted) io.hasPieces = this.#splitPolicy.isInPlace;
    this.owner.inFlight.enter(bio);
    cloneBio(bio, clone);
    this.prepare(clone, io, entry, sectors);
    const mapped =
      bio.op <= WRITE
        ? this.mapClone(clone, io, entry, task)
        : this.#fanOut.mapCopies(clone, io, entry, task);
    if (mapped !== undefined) return this.#finishLater(mapped, io, bio, task);
    if (io.pieceSectors < wanted) return this.#splitPolicy.rest(this, io, bio, task);
    io.drop();
  }

  async #finishLater(mapped: Promise<void>, io: DmIo, bio: Bio, task: Task): Promise<void> {
    await mapped;
    if (io.pieceSectors < bio.sectors) await this.#splitPolicy.rest(this, io, bio, task);
    else io.drop();
  }

  async #mapSleeping(
    mapping: Promise<MapResult>,
    { clone, io }: { clone: Bio; io: DmIo },
    task: Task,
    outerHook: Task["sleepHook"],
  ): Promise<void> {
    const result = await mapping;
    task.sleepHook = outerHook;
    io.isMapping = false;
    if (result === MapResult.Remapped) await this.submitter.submitBio(clone, task);
    else if (result !== MapResult.Submitted) settle(result, clone, io);
  }
}

/** What may be done for a clone of `bio`. */
export function gfpFor(bio: Bio): number {
  return (bio.flags & NO_WAIT) === 0 ? GFP_NOIO : GFP_NOWAIT;
}

/** Why a bio cannot even be begun: nobody can do it, or it would have to wait for being cut. */
function refusalOf(bio: Bio, entry: TableTarget, isCut: boolean): BioStatus {
  if (entry.copies(bio.op) === 0) return BioStatus.NotSupported;
  return isCut && (bio.flags & NO_WAIT) !== 0 ? BioStatus.Again : OK;
}

/** Ends a clone that its target would not have. The target does not see it end. */
function settle(result: MapResult, clone: Bio, io: DmIo): void {
  const isKnown = result === MapResult.Kill || result === MapResult.Requeue;
  invariant(isKnown, `a target answered ${String(result)} from map`);
  io.cloneEnded(clone, result === MapResult.Kill ? BioStatus.IoError : BioStatus.DmRequeue);
}
