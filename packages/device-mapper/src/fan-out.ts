import { type Bio, BioFlag, BioOp, BioStatus, cloneBio, invariant } from "@blkstack/bio";
import { type Awaitable, GFP_NOIO, GFP_NOWAIT, isPending, Mutex, type Task } from "@blkstack/task";
import { rescueBoth } from "@blkstack/bio-set";
import type { BioMapper } from "./bio-mapper.ts";
import type { DmIo } from "./dm-io.ts";
import type { CloneSource, FanOutPolicy } from "./fan-out-policy.ts";
import type { TableTarget } from "./table-target.ts";
import { accountOf, targetIoOf } from "./target-io.ts";

/** Sends several clones at once: a flush to all targets, or copies of one piece to one target. */
export class FanOut {
  readonly #mapper: BioMapper;
  readonly #policy: FanOutPolicy;
  readonly #clones: CloneSource;

  constructor(mapper: BioMapper, policy: FanOutPolicy) {
    const { clones } = mapper.pools;
    this.#mapper = mapper;
    this.#policy = policy;
    this.#clones = {
      lock: new Mutex(`fan-out of ${mapper.owner.name}`),
      alloc: (task) => clones.alloc(GFP_NOIO, 0, task),
      rescueParked(task) {
        const { bioLists } = task;
        if (clones.rescuer === null || bioLists === null || bioLists.isEmpty) return;
        return rescueBoth.punt(clones.rescuer, bioLists, task);
      },
    };
  }

  /** Sends the empty flushes that the table sends to its targets, in order. Waits: for clones. */
  flush(bio: Bio, task: Task): Awaitable<void> {
    const first = this.#mapper.pools.ios.alloc(GFP_NOIO, 0, task);
    if (isPending(first)) return this.#flushWaiting(bio, first, task);
    return this.#flushWith(bio, first, task);
  }

  /**
   * Gives `entry` as many copies of the prepared `first` as it takes. Waits: for the others; a bio
   * that must not wait for them ends with Again.
   */
  mapCopies(first: Bio, io: DmIo, entry: TableTarget, task: Task): Awaitable<void> {
    const count = entry.copies(first.op);
    if (count === 1) return this.#mapper.mapClone(first, io, entry, task);
    const mayWait = (first.flags & BioFlag.NoWait) === 0;
    const others = mayWait
      ? this.#allocAll(count - 1, task)
      : this.#tryAllocAll([], count - 1, task);
    const piece = { first, io, entry };
    if (isPending(others)) return this.#copyLater(others, piece, task);
    return this.#copyTo(others, piece, task);
  }

  async #flushWaiting(bio: Bio, allocation: Promise<Bio | null>, task: Task): Promise<void> {
    await this.#flushWith(bio, await allocation, task);
  }

  #flushWith(bio: Bio, first: Bio | null, task: Task): Awaitable<void> {
    invariant(first !== null, "a flush waits for its account");
    const io = accountOf(first);
    io.begin(this.#mapper.owner, bio, first);
    io.isFlush = true;
    this.#mapper.owner.inFlight.enter(bio);
    return this.#flushAll(this.#mapper.table.entries, io, task);
  }

  #flushAll(entries: readonly TableTarget[], io: DmIo, task: Task): Awaitable<void> {
    for (const [at, entry] of entries.entries()) {
      const sent = this.#flushEntry(entry, io, task);
      if (sent !== undefined) {
        return sent.then(() => this.#flushAll(entries.slice(at + 1), io, task));
      }
    }
    io.drop();
  }

  #flushEntry(entry: TableTarget, io: DmIo, task: Task): Awaitable<void> {
    const clones = this.#allocAll(entry.flushCopies.length, task);
    if (isPending(clones)) return this.#flushEntryLater(clones, entry, io, task);
    return this.#flushEntryWith(clones, entry, io, task);
  }

  async #flushEntryLater(
    clones: Promise<Bio[]>,
    entry: TableTarget,
    io: DmIo,
    task: Task,
  ): Promise<void> {
    await this.#flushEntryWith(await clones, entry, io, task);
  }

  #flushEntryWith(clones: Bio[], entry: TableTarget, io: DmIo, task: Task): Awaitable<void> {
    for (const [index, clone] of clones.entries()) {
      clone.device = io.original?.device ?? null;
      clone.op = BioOp.Write;
      clone.flags = BioFlag.Preflush | BioFlag.Sync;
      clone.sector = entry.begin;
      this.#mapper.prepare(clone, io, entry, 0);
      noteCopy(clone, entry.flushCopies[index] ?? 0, clones.length);
    }
    return this.#mapAll(clones, io, entry, task);
  }

  async #copyLater(others: Promise<Bio[] | null>, piece: Piece, task: Task): Promise<void> {
    await this.#copyTo(await others, piece, task);
  }

  #copyTo(others: readonly Bio[] | null, piece: Piece, task: Task): Awaitable<void> {
    const { first, io, entry } = piece;
    if (others === null) {
      // As if it had been on its way, and had come back.
      io.pending += 1;
      io.cloneEnded(first, BioStatus.Again);
      return;
    }
    for (const other of others) {
      cloneBio(first, other);
      this.#mapper.prepare(other, io, entry, io.pieceSectors);
    }
    const clones = [first, ...others];
    for (const [index, clone] of clones.entries()) noteCopy(clone, index, clones.length);
    return this.#mapAll(clones, io, entry, task);
  }

  #mapAll(clones: readonly Bio[], io: DmIo, entry: TableTarget, task: Task): Awaitable<void> {
    for (const [at, clone] of clones.entries()) {
      const mapped = this.#mapper.mapClone(clone, io, entry, task);
      if (mapped !== undefined) {
        return mapped.then(() => this.#mapAll(clones.slice(at + 1), io, entry, task));
      }
    }
  }

  /** All or nothing: who slept with some of the clones could wait for another who has the rest. */
  #allocAll(count: number, task: Task): Awaitable<Bio[]> {
    const tried = this.#tryAllocAll([], count, task);
    if (isPending(tried)) return this.#allocAllLater(tried, count, task);
    return tried ?? this.#policy.allocAll(this.#clones, count, task);
  }

  async #allocAllLater(trying: Promise<Bio[] | null>, count: number, task: Task): Promise<Bio[]> {
    return (await trying) ?? this.#policy.allocAll(this.#clones, count, task);
  }

  /** Null: there are not enough. Does not wait for memory, but may let others run in between. */
  #tryAllocAll(clones: Bio[], count: number, task: Task): Awaitable<Bio[] | null> {
    while (clones.length < count) {
      const clone = this.#mapper.pools.clones.alloc(GFP_NOWAIT, 0, task);
      if (isPending(clone)) return this.#tryOthersLater(clone, clones, count, task);
      if (clone === null) return giveUp(clones);
      clones.push(clone);
    }
    return clones;
  }

  async #tryOthersLater(
    allocation: Promise<Bio | null>,
    clones: Bio[],
    count: number,
    task: Task,
  ): Promise<Bio[] | null> {
    const clone = await allocation;
    if (clone === null) return giveUp(clones);
    clones.push(clone);
    return this.#tryAllocAll(clones, count, task);
  }
}

/** A part of a bio that several clones are to be made of, the first of which is there. */
interface Piece {
  readonly first: Bio;
  readonly io: DmIo;
  readonly entry: TableTarget;
}

function noteCopy(clone: Bio, copyIndex: number, count: number): void {
  const tio = targetIoOf(clone);
  tio.copyIndex = copyIndex;
  tio.hasSiblings = count > 1;
}

function giveUp(clones: readonly Bio[]): null {
  for (const useless of clones) useless.put();
  return null;
}
