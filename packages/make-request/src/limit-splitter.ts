import { type Bio, bioError, BioFlag, BioStatus, chainBio, type Sectors } from "@blkstack/bio";
import { type BlockDevice, BlockError, type QueueLimits } from "@blkstack/block";
import { type Awaitable, type Gfp, GFP_NOIO, isPending, type Task } from "@blkstack/task";
import { splitSectors, surelyFits } from "./split-sectors.ts";

/** What cutting needs of a set of bios; a `BioSet` is one. */
export interface SplitSet {
  /** Cuts the first `sectors` off `bio` into a bio of this set. Null only if `gfp` forbids to wait. */
  split(bio: Bio, sectors: Sectors, gfp: Gfp, task: Task): Awaitable<Bio | null>;
}

/**
 * Where the fronts of bios that are cut come from.
 *
 * Each level of a stack that cuts needs a set of its own, as `SplitSetPerDevice` has them: a front is
 * held until everything below it has ended, and what is below must not wait for that very front. One
 * `set` for all is right only where no device that cuts stands on another one.
 */
export type SplitSets = { readonly set: SplitSet } | SetsOfDevices;

/** A set for each device. */
export interface SetsOfDevices {
  /** Null: there is no memory for a set of this device. */
  setOf(device: BlockDevice): SplitSet | null;
  /** The device has gone, and all its bios. */
  forget?(device: BlockDevice, task: Task): Awaitable<void>;
}

/**
 * Cuts bios to what their queue takes: the front goes on, the rest is parked as a bio of the same
 * level, behind all that the front brings about.
 *
 * One front for each cut is all that is held, and it depends on its own piece only, so one element
 * in reserve is enough for any number of pieces.
 */
export class LimitSplitter {
  readonly #sets: SetsOfDevices;

  constructor(sets: SplitSets) {
    this.#sets = "set" in sets ? { setOf: () => sets.set } : sets;
  }

  /** Has the set of a device made. Throws a BlockError (ENOMEM) when there is no memory for it. */
  addDevice(device: BlockDevice): void {
    if (this.#sets.setOf(device) !== null) return;
    const message = `there is no memory to cut bios to ${device.name}`;
    throw new BlockError("BLK_STATE", "ENOMEM", message);
  }

  removeDevice(device: BlockDevice, task: Task): Awaitable<void> {
    return this.#sets.forget?.(device, task);
  }

  /**
   * Answers what is to be given to the driver of `device`: the bio when it fits, else its front,
   * with the rest parked on the task. Null when the bio ended: with `Again` if it must not wait,
   * with `IoError` if there is no place to cut it, with `Resource` if there is no set.
   *
   * Waits: for an element of the set.
   */
  fit(bio: Bio, device: BlockDevice, task: Task): Awaitable<Bio | null> {
    const { limits } = device.queue;
    return surelyFits(bio, limits) ? bio : this.#cut(bio, device, limits, task);
  }

  #cut(bio: Bio, device: BlockDevice, limits: QueueLimits, task: Task): Awaitable<Bio | null> {
    const sectors = splitSectors(bio, limits);
    if (sectors === bio.sectors) return bio;
    if (sectors === 0) return refuse(bio, BioStatus.IoError);
    if ((bio.flags & BioFlag.NoWait) !== 0) return refuse(bio, BioStatus.Again);
    const front = this.#sets.setOf(device)?.split(bio, sectors, GFP_NOIO, task) ?? null;
    return isPending(front) ? parkWhenSplit(front, bio, task) : parkRest(front, bio, task);
  }
}

async function parkWhenSplit(
  front: Promise<Bio | null>,
  rest: Bio,
  task: Task,
): Promise<Bio | null> {
  return parkRest(await front, rest, task);
}

/** The rest is a bio that has passed the checks and is of the same level: it need only be parked. */
function parkRest(front: Bio | null, rest: Bio, task: Task): Bio | null {
  if (front === null) return refuse(rest, BioStatus.Resource);
  front.flags |= BioFlag.NoMerge;
  chainBio(front, rest);
  task.ownBioLists.current.add(rest);
  return front;
}

function refuse(bio: Bio, status: BioStatus): null {
  bioError(bio, status);
  return null;
}
