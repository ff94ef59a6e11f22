import { type Bio, BioFlag, BioOp, BioStatus, cloneBio, invariant } from "@blkstack/bio";
import { type Awaitable, GFP_NOIO, GFP_NOWAIT, isPending, Mutex, type Task } from "@blkstack/task";
import { rescueBoth } from "@blkstack/bio-set";
import type { BioMapper } from "./bio-mapper.ts";
import type { DmIo } from "./dm-io.ts";
import type { CloneSource, FanOutPolicy } from "./fan-out-policy.ts";
import type { TableTarget } from "./table-target.ts";
import { targetIoOf } from "./target-io.ts";

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
    const others = this.#allocAll(count - 1, mayWait, task);
    if (isPending(others)) return this.#copyLater(others, first, io, task);
    return this.#copyTo(others, first, io, task);
  }

  async #flushWaiting(bio: Bio, allocation: Promise<Bio | null>, task: Task): Promise<void> {
    await this.#flushWith(bio, await allocation, task);
  }

  #flushWith(bio: Bio, first: Bio | null, task: Task): Awaitable<void> {
    const io = first === null ? null : targetIoOf(first).ownIo;
    invariant(first !== null && io !== null, "a flush without an account");
    io.begin(this.#mapper.owner, bio, first);
    io.isFlush = true;
    this.#mapper.owner.inFlight.enter(bio);
    return this.#flushFrom(0, io, task);
  }

  #flushFrom(index: number, io: DmIo, task: Task): Awaitable<void> {
    const { entries } = this.#mapper.table;
    for (let next = index; next < entries.length; next += 1) {
      const entry = entries[next];
      if (entry === undefined || entry.flushCopies.length === 0) continue;
      const sent = this.#flushEntry(entry, io, task);
      if (sent !== undefined) return this.#flushOthersLater(sent, next + 1, io, task);
    }
    io.drop();
  }

  async #flushOthersLater(sent: Promise<void>, index: number, io: DmIo, task: Task): Promise<void> {
    await sent;
    await this.#flushFrom(index, io, task);
  }

  #flushEntry(entry: TableTarget, io: DmIo, task: Task): Awaitable<void> {
    const clones = this.#allocAll(entry.flushCopies.length, true, task);
    if (isPending(clones)) return this.#flushEntryLater(clones, entry, io, task);
    return this.#flushEntryWith(clones, entry, io, task);
  }

  async #flushEntryLater(
    clones: Promise<Bio[] | null>,
    entry: TableTarget,
    io: DmIo,
    task: Task,
  ): Promise<void> {
    await this.#flushEntryWith(await clones, entry, io, task);
  }

  #flushEntryWith(clones: Bio[] | null, entry: TableTarget, io: DmIo, task: Task): Awaitable<void> {
    invariant(clones !== null, "a flush waits for its clones");
    for (const [index, clone] of clones.entries()) {
      clone.device = io.original?.device ?? null;
      clone.op = BioOp.Write;
      clone.flags = BioFlag.Preflush | BioFlag.Sync;
      clone.sector = entry.begin;
      this.#mapper.prepare(clone, io, entry, 0);
      noteCopy(clone, entry.flushCopies[index] ?? 0, clones.length);
    }
    return this.#mapFrom(clones, 0, io, task);
  }

  async #copyLater(others: Promise<Bio[] | null>, first: Bio, io: DmIo, task: Task): Promise<void> {
    await this.#copyTo(await others, first, io, task);
  }

  #copyTo(others: readonly Bio[] | null, first: Bio, io: DmIo, task: Task): Awaitable<void> {
    if (others === null) {
      if (first !== io.firstClone) first.put();
      io.fail(BioStatus.Again);
      return;
    }
    const { target } = targetIoOf(first);
    invariant(target !== null, "a copy of what was not prepared");
    const clones = [first, ...others];
    for (const [index, clone] of clones.entries()) {
      if (clone !== first) {
        cloneBio(first, clone);
        this.#mapper.prepare(clone, io, target, io.pieceSectors);
      }
      noteCopy(clone, index, clones.length);
    }
    return this.#mapFrom(clones, 0, io, task);
  }

  #mapFrom(clones: readonly Bio[], index: number, io: DmIo, task: Task): Awaitable<void> {
    for (const [at, clone] of clones.entries()) {
      const { target } = targetIoOf(clone);
      if (at < index || target === null) continue;
      const mapped = this.#mapper.mapClone(clone, io, target, task);
      if (mapped !== undefined) return mapped.then(() => this.#mapFrom(clones, at + 1, io, task));
    }
  }

  /**
   * All or nothing: who slept with some of the clones could wait for another who has the rest.
   * Answers null when there are not enough and `mayWait` is false.
   */
  #allocAll(count: number, mayWait: boolean, task: Task): Awaitable<Bio[] | null> {
    const tried = this.#tryAllocAll([], count, task);
    if (isPending(tried)) return this.#allocAllLater(tried, count, mayWait, task);
    return tried === null && mayWait ? this.#policy.allocAll(this.#clones, count, task) : tried;
  }

  async #allocAllLater(
    trying: Promise<Bio[] | null>,
    count: number,
    mayWait: boolean,
    task: Task,
  ): Promise<Bio[] | null> {
    const tried = await trying;
    return tried === null && mayWait ? this.#policy.allocAll(this.#clones, count, task) : tried;
  }

  /** Does not wait for memory, but may let others run in between. */
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

function noteCopy(clone: Bio, copyIndex: number, count: number): void {
  const tio = targetIoOf(clone);
  tio.copyIndex = copyIndex;
  tio.hasSiblings = count > 1;
}

function giveUp(clones: readonly Bio[]): null {
  for (const useless of clones) useless.put();
  return null;
}
