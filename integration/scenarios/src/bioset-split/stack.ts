import {
  Bio,
  bioEndio,
  BioOp,
  type BioPool,
  BioStatus,
  chainBio,
  cloneBio,
  createVecs,
  PAGE_BYTES,
  SECTOR_BYTES,
  type Sectors,
} from "@blkstack/bio";
import { type BioSet } from "@blkstack/bio-set";
import { type BlockDevice, RequestQueue, type Submitter } from "@blkstack/block";
import { RamDisk } from "@blkstack/disk-ram";
import { FindingError, type World } from "@blkstack/explorer";
import type { Mempool } from "@blkstack/mempool";
import { GFP_NOIO, GFP_NOWAIT, type Task, type Waitable } from "@blkstack/task";

const SIZE_SECTORS = 64;

/** What one driver call asks its set for, piece after piece. */
interface PieceWish {
  /** Where the piece goes. */
  readonly to: BlockDevice;
  readonly sizeSectors: Sectors;
}

export interface SplitterOptions {
  readonly world: World;
  readonly name: string;
  readonly set: BioSet;
  readonly submitter: Submitter;
  readonly pieces: readonly PieceWish[];
  /** Vectors that each piece brings along; more than 4 come from the set's second pool. */
  readonly vecCount?: number;
  /** Ask first without waiting, as a driver does that would rather do something else. */
  readonly triesNoWait?: boolean;
  /** Called for each piece between its allocation and its submission. */
  readonly prepare?: (piece: Bio, task: Task) => Promise<void>;
}

/**
 * A stacking driver as they were in 2012: cuts each bio into pieces from its own set and submits
 * every piece before it allocates the next.
 */
export class Splitter implements BlockDevice {
  readonly name: string;
  readonly sizeSectors = SIZE_SECTORS;
  readonly isReadOnly = false;
  readonly queue: RequestQueue;
  readonly #options: SplitterOptions;

  constructor(options: SplitterOptions, limits: BlockDevice) {
    this.name = options.name;
    this.#options = options;
    this.queue = new RequestQueue(options.name, limits.queue.limits);
    // Nobody freezes it in this story, so bios pass it without noticing each other.
    options.world.ignore(this.queue);
  }

  async submitBio(bio: Bio, task: Task): Promise<void> {
    let { sector } = bio;
    for (const { to, sizeSectors } of this.#options.pieces) {
      const piece = await this.#allocate(task);
      cloneBio(bio, piece);
      piece.device = to;
      piece.sector = sector;
      piece.sizeBytes = sizeSectors * SECTOR_BYTES;
      sector += sizeSectors;
      chainBio(piece, bio);
      await this.#options.prepare?.(piece, task);
      await this.#options.submitter.submitBio(piece, task);
    }
    // The driver's own share: the bio ends when its pieces have.
    bioEndio(bio);
  }

  async #allocate(task: Task): Promise<Bio> {
    const { set, vecCount = 0, triesNoWait = false } = this.#options;
    if (triesNoWait) {
      const now = await set.alloc(GFP_NOWAIT, vecCount, task);
      if (now !== null) return now;
    }
    const piece = await set.alloc(GFP_NOIO, vecCount, task);
    if (piece === null) {
      throw new FindingError("BUG", `${set.label} gave nothing to a caller who may wait`);
    }
    return piece;
  }
}

/** A disk that ends what it is given before it returns. */
export class PromptDisk implements BlockDevice {
  readonly name: string;
  readonly sizeSectors = SIZE_SECTORS;
  readonly isReadOnly = false;
  readonly queue: RequestQueue;

  constructor(name: string, limits: BlockDevice) {
    this.name = name;
    this.queue = new RequestQueue(name, limits.queue.limits);
  }

  submitBio(bio: Bio): void {
    bioEndio(bio);
  }
}

/** A disk whose data nobody reads and whose queue nobody freezes: the order of bios is no matter. */
export function ramDisk(world: World, name: string): RamDisk {
  const disk = new RamDisk({ name, sizeSectors: SIZE_SECTORS, scheduler: world.scheduler });
  world.ignore(disk);
  world.ignore(disk.queue);
  return disk;
}

const ORIGINALS: BioPool = { label: "its submitter", release: () => undefined };

/** A task that writes one bio to a device and waits for its end. */
export function spawnWriter(
  world: World,
  name: string,
  way: { submitter: Submitter; device: BlockDevice; sector: Sectors },
): void {
  const { submitter, device, sector } = way;
  let status: BioStatus | null = null;
  // Up to its submission it touches nothing that the others see.
  const options = { startsAtFirstStep: true };
  const write = async (task: Task): Promise<void> => {
    const vecs = createVecs(1);
    const bio = new Bio(ORIGINALS, null, vecs);
    bio.vecs = vecs;
    bio.vecMax = 1;
    bio.op = BioOp.Write;
    bio.device = device;
    bio.sector = sector;
    bio.serial = sector;
    bio.addPage({ bytes: new Uint8Array(PAGE_BYTES), frame: 0 }, PAGE_BYTES, 0);
    bio.endIo = () => {
      status = bio.status;
      task.scheduler.wake(task);
    };
    const label = `the end of ${bio.toString()}`;
    const end: Waitable = { label, blockers: () => [bio], endsBy: "any" };
    await submitter.submitBio(bio, task);
    while (status === null) await task.scheduler.sleep(task, end);
  };
  world.spawn(name, write, options);
  world.atEnd(() => (status === BioStatus.Ok ? [] : [`${name}'s bio did not end well`]));
}

/** Has reports know of a set. */
export function watchSet(world: World, set: BioSet): void {
  const { rescueList, rescueWork, bioPool, bvecPool } = set;
  watchPool(world, bioPool);
  if (bvecPool !== null) watchPool(world, bvecPool.pool);
  if (rescueList !== null && rescueWork !== null) {
    const label = `rescue list of ${set.label}`;
    world.place({ label, things: rescueList, servedBy: () => [rescueWork] });
  }
}

/**
 * Has reports know of a pool. One element is as good as another, and of the rest a task sees
 * whether there is one; sleepers are woken all together, so that their order makes no difference.
 */
export function watchPool<T extends object>(world: World, pool: Mempool<T>): void {
  world.observe(`${pool.label} in reserve`, () => pool.currNr);
  world.summarise(pool, { holds: () => pool.currNr, shows: () => Math.min(pool.currNr, 1) });
}

/** What of a set is not as it was in the beginning. */
export function* complaintsOf(set: BioSet): Iterable<{ kind: "LEAK" | "WRONG"; message: string }> {
  for (const pool of [set.bioPool, set.bvecPool?.pool]) {
    if (pool === undefined || (pool.liveCount === 0 && pool.currNr === pool.minNr)) continue;
    const message = `${pool.label}: ${String(pool.liveCount)} never came back`;
    yield { kind: "LEAK", message };
  }
  if (set.rescueList?.isEmpty === false) {
    yield { kind: "WRONG", message: `${set.label}: bios are left on the rescue list` };
  }
}
