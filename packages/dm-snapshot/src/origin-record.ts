import type { Bio, Sectors } from "@blkstack/bio";
import { type BlockDevice, MapResult, type Submitter, type TargetHost } from "@blkstack/block";
import {
  type Access,
  AccessMode,
  type Awaitable,
  isPending,
  RwSemaphore,
  type Scheduler,
  type Task,
} from "@blkstack/task";
import { FinishedCopies } from "./finished-copies.ts";
import { Keeping } from "./old-data.ts";
import type { OriginTurn, OriginTurnPolicy } from "./origin-turn.ts";
import type { Snapshot } from "./snapshot.ts";

/** Before any snapshot there are no chunks to keep apart. */
const NO_BOUNDARY_SECTORS: Sectors = 2 ** 31;

/** Who has put a write to the origin aside. */
interface OriginUser {
  readonly submitter: Submitter;
  readonly turn: OriginTurnPolicy | null;
}

/**
 * One origin and its snapshots: whoever writes to the origin comes through here, so that every
 * snapshot has the old data first.
 */
export class OriginRecord {
  readonly device: BlockDevice;
  /** Who holds on to this record. */
  claims = 0;
  /**
   * Held shared by who writes to the origin on its own account, a range at a time; exclusively by who
   * has others begin, or cease, to keep old data.
   */
  readonly lock: RwSemaphore;
  /** The mapped devices through which the origin is written. */
  readonly #hosts: TargetHost[] = [];
  readonly #scheduler: Scheduler;
  readonly #copies: FinishedCopies;
  readonly #look: Access;
  readonly #change: Access;
  /** The largest chunks first. */
  #snapshots: Snapshot[] = [];
  #boundarySectors: Sectors = NO_BOUNDARY_SECTORS;

  constructor(device: BlockDevice, scheduler: Scheduler) {
    this.device = device;
    this.#scheduler = scheduler;
    this.lock = new RwSemaphore(`origins of ${device.name}`);
    const object = { label: `snapshots of ${device.name}` };
    this.#look = { object, mode: AccessMode.Read, label: `look at the ${object.label}` };
    this.#change = { object, mode: AccessMode.Write, label: `change the ${object.label}` };
    this.#copies = new FinishedCopies(`copies of ${device.name}`, () => this.#copying());
  }

  get snapshots(): readonly Snapshot[] {
    return this.#snapshots;
  }

  /** The snapshot that is being merged into this origin. */
  get merging(): Snapshot | null {
    return this.#snapshots.find(({ isMerging }) => isMerging) ?? null;
  }

  /** A bio that keeps to this line lies in one chunk of every snapshot. */
  get boundarySectors(): Sectors {
    return this.#boundarySectors;
  }

  addHost(host: TargetHost): void {
    this.#hosts.push(host);
  }

  removeHost(host: TargetHost): void {
    this.#hosts.splice(this.#hosts.indexOf(host), 1);
  }

  /**
   * Does something while nobody writes to the origin: what a snapshot is of, and who keeps what, must
   * not change under a write.
   *
   * Waits: until no write is under way, and no step of a merge.
   */
  async whileStill(change: () => Promise<void> | void, task: Task): Promise<void> {
    const hosts = [...this.#hosts];
    for (const host of hosts) await host.suspendInternally(task);
    await this.lock.writeLock(task);
    await change();
    this.lock.writeUnlock(task);
    for (const host of hosts.reverse()) await host.resumeInternally(task);
  }

  add(snapshot: Snapshot): void {
    this.#snapshots.push(snapshot);
    this.sort();
  }

  remove(snapshot: Snapshot): void {
    this.#snapshots = this.#snapshots.filter((other) => other !== snapshot);
    this.sort();
  }

  /** To be called when a snapshot has got other chunks. */
  sort(): void {
    this.#scheduler.touch(this.#change);
    this.#snapshots.sort((one, other) => other.chunkSectors - one.chunkSectors);
    const sizes = this.#snapshots.map(({ chunkSectors }) => chunkSectors || NO_BOUNDARY_SECTORS);
    this.#boundarySectors = Math.min(NO_BOUNDARY_SECTORS, ...sizes);
  }

  /**
   * Has every snapshot keep what a write to the origin is about to replace. Answers `Remapped`
   * when nobody needs it any more, `Submitted` when the bio was put aside: it comes through here
   * again when a copy has ended. `isThrottled`: not for those who bring copies to an end.
   *
   * Waits: for memory, for locks of snapshots, and, throttled, for copies under way.
   */
  write(bio: Bio, isThrottled: boolean, task: Task): Awaitable<MapResult> {
    if (this.#isKeptByAll(bio.sector)) return MapResult.Remapped;
    return this.#write(bio, isThrottled, task);
  }

  /** As `write`, when the policy says so. Waits: as the policy does. */
  writeInTurn(
    policy: OriginTurnPolicy,
    { bio, isRetry }: { readonly bio: Bio; readonly isRetry: boolean },
    task: Task,
  ): Awaitable<MapResult> {
    const turn: OriginTurn = {
      isRetry,
      lock: this.lock,
      waitForCopies: (waiting) => this.#waitForCopies(waiting),
      write: (writing) => this.write(bio, false, writing),
    };
    return policy(turn, task);
  }

  /**
   * Sends a write that was put aside on its way again. Waits: as `write` does, but for no copies.
   *
   * A write to the origin never fails because of a snapshot.
   */
  async retry(bio: Bio, { submitter, turn }: OriginUser, task: Task): Promise<void> {
    const result = await (turn === null
      ? this.write(bio, false, task)
      : this.writeInTurn(turn, { bio, isRetry: true }, task));
    if (result === MapResult.Remapped) await submitter.submitBio(bio, task);
  }

  /**
   * Has every snapshot but one keep a range that this one is about to replace.
   *
   * Waits: until nothing of it is still to be copied. So never from inside `map`.
   */
  async preserveRange(
    { sector, endSector }: { readonly sector: Sectors; readonly endSector: Sectors },
    replacing: Snapshot,
    task: Task,
  ): Promise<void> {
    this.#scheduler.touch(this.#look);
    const others = this.#snapshots.filter((snapshot) => snapshot !== replacing);
    for (;;) {
      const { finished } = this.#copies;
      const step = this.boundarySectors;
      let isKept = true;
      for (let at = sector - (sector % step); at < endSector; at += step) {
        if (!(await preserve(others, { sector: at, bio: null }, task))) isKept = false;
      }
      if (isKept) return;
      await this.#copies.wait(finished, task);
    }
  }

  /** A chunk of one of the snapshots is no longer pending, or a store is marked invalid. */
  copyFinished(): void {
    this.#copies.add();
  }

  #copying(): readonly object[] {
    return this.#snapshots.flatMap(({ copier }) => copier.blockers());
  }

  /** Without a wait, which is the rule: nothing was written to a chunk only once. */
  #isKeptByAll(sector: Sectors): boolean {
    if (this.#scheduler.isExploring) return false;
    for (const snapshot of this.#snapshots) if (!snapshot.oldData.isKept(sector)) return false;
    return true;
  }

  #write(bio: Bio, isThrottled: boolean, task: Task): Awaitable<MapResult> {
    this.#scheduler.touch(this.#look);
    if (isThrottled && this.#snapshots.some(({ throttle }) => throttle.isOver)) {
      return this.#writeThrottled(bio, task);
    }
    // Snapshots may come and go while this waits; those that come are not active yet.
    const isKept = preserve([...this.#snapshots], { sector: bio.sector, bio }, task);
    return isPending(isKept) ? isKept.then(resultOf) : resultOf(isKept);
  }

  async #writeThrottled(bio: Bio, task: Task): Promise<MapResult> {
    await this.#waitForCopies(task);
    return this.#write(bio, false, task);
  }

  async #waitForCopies(task: Task): Promise<void> {
    for (const { throttle } of this.#snapshots) await throttle.wait(task);
  }
}

function resultOf(isKept: boolean): MapResult {
  return isKept ? MapResult.Remapped : MapResult.Submitted;
}

/**
 * Sets all copies going that are needed before a sector is written; the bio, if any, waits for the
 * first of them. Answers whether none is.
 */
function preserve(
  snapshots: readonly Snapshot[],
  { sector, bio }: { readonly sector: Sectors; readonly bio: Bio | null },
  task: Task,
  wasKept = true,
): Awaitable<boolean> {
  let isKept = wasKept;
  for (const [index, snapshot] of snapshots.entries()) {
    // Once it waits for one copy the bio is no longer ours: it may be gone before we are through.
    const keeping = snapshot.oldData.keep(sector, isKept ? bio : null, task);
    if (isPending(keeping)) {
      const wasKeptSoFar = isKept;
      const others = snapshots.slice(index + 1);
      return keeping.then((late) =>
        preserve(others, { sector, bio }, task, wasKeptSoFar && late === Keeping.Done),
      );
    }
    if (keeping !== Keeping.Done) isKept = false;
  }
  return isKept;
}
