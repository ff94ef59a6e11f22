import { invariant, SECTOR_BYTES, type Sectors } from "@blkstack/bio";
import {
  correctAsync,
  GroupStats,
  type Rcu,
  StatFamily,
  type StatsInstaller,
} from "@blkstack/io-group";
import {
  GFP_ATOMIC,
  type Memory,
  type PerCpuAllocator,
  type PerCpuBlock,
  Slab,
} from "@blkstack/memory";
import { type Access, AccessMode, isPending, type Scheduler, type Task } from "@blkstack/task";
import { CfqGroup } from "./cfq-group.ts";
import { GroupShare } from "./group-share.ts";
import { countOf, type StatFormat, statTextOf } from "./stat-text.ts";
import type { Jiffies } from "./timing.ts";
import { checkWeight, WEIGHT_DEFAULT, WEIGHT_ROOT } from "./weight.ts";

/** What people call the group of those that nobody has put into another one. */
const ROOT_GROUP = "/";

/** What a group has done, and has to do. */
export interface CfqStatistics {
  readonly weight: number;
  /** Ticks of the disk's time that it was charged. */
  readonly time: Jiffies;
  /** Bios that wait. */
  readonly queued: number;
  /** Times that it ran out of bios. */
  readonly dequeues: number;
  /** Bios sent, since there are statistics. */
  readonly serviced: number;
  /** The same in sectors. */
  readonly sectors: Sectors;
  /** Bios that became part of others: none, for bios stay as they come. */
  readonly merged: number;
}

export interface GroupTableOptions {
  readonly name: string;
  readonly scheduler: Scheduler;
  readonly memory: Memory;
  readonly statsMemory: PerCpuAllocator;
  readonly rcu: Rcu;
  /** Of the root group. */
  readonly rootStats: PerCpuBlock;
}

/** The groups of one disk by name, from the first bio of each to its removal. */
export class GroupTable {
  readonly root: CfqGroup;
  readonly #scheduler: Scheduler;
  readonly #statsMemory: PerCpuAllocator;
  readonly #rcu: Rcu;
  readonly #shares: Slab<GroupShare>;
  readonly #installer: StatsInstaller;
  readonly #groups = new Map<string, CfqGroup>();
  /** What was asked for, for groups that are there and groups to come. */
  readonly #weights = new Map<string, number>();
  readonly #look: Access;
  readonly #change: Access;

  constructor({ name, scheduler, memory, statsMemory, rcu, rootStats }: GroupTableOptions) {
    this.#scheduler = scheduler;
    this.#statsMemory = statsMemory;
    this.#rcu = rcu;
    const list = { label: `groups of ${name}` };
    this.#look = { object: list, mode: AccessMode.Read, label: `look at the ${list.label}` };
    this.#change = { object: list, mode: AccessMode.Write, label: `change the ${list.label}` };
    this.#shares = new Slab(memory, `groups of ${name}`, () => new GroupShare(), {
      elementBytes: SHARE_BYTES,
    });
    this.#installer = correctAsync({ scheduler, memory: statsMemory });
    const share = new GroupShare();
    share.reset(WEIGHT_ROOT);
    this.root = new CfqGroup({
      name: ROOT_GROUP,
      parent: null,
      rcu,
      statsMemory,
      isEmbedded: true,
      share,
      shares: null,
    });
    this.root.installStats(new GroupStats(rootStats));
    this.#groups.set(ROOT_GROUP, this.root);
  }

  get names(): Iterable<string> {
    return this.#groups.keys();
  }

  /** The group, made if there is none; null if there is no memory for it now. Waits: never. */
  findOrCreate(name: string, task: Task): CfqGroup | null {
    this.#touch(this.#change);
    const known = this.#groups.get(name);
    if (known !== undefined) return known;
    const share = this.#shares.tryAlloc(GFP_ATOMIC);
    if (share === null) return null;
    share.reset(this.#weights.get(name) ?? WEIGHT_DEFAULT);
    const group = new CfqGroup({
      name,
      parent: this.root,
      rcu: this.#rcu,
      statsMemory: this.#statsMemory,
      share,
      shares: this.#shares,
    });
    this.#groups.set(name, group);
    invariant(!isPending(this.#installer.request(group, task)), "statistics are waited for");
    return group;
  }

  /**
   * Whether there is or will be such a group; applies from the next time on that it is weighed.
   *
   * Throws a BlockError, EINVAL, for a weight outside 10 to 1000.
   */
  setWeight(name: string, weight: number): void {
    checkWeight(name, weight);
    this.#weights.set(name, weight);
    const group = this.#groups.get(name);
    if (group !== undefined) group.share.nextWeight = weight;
  }

  /** Answers false if there is none; the root stays. Waits: never. */
  remove(name: string): boolean {
    this.#touch(this.#change);
    this.#weights.delete(name);
    const group = this.#groups.get(name);
    if (group === undefined || group === this.root) return false;
    this.#groups.delete(name);
    this.#installer.cancel(group);
    group.unlink();
    return true;
  }

  /** Null: there is no such group. Takes no lock. Waits: never. */
  statisticsOf(name: string, task: Task): CfqStatistics | null {
    this.#touch(this.#look);
    const phase = this.#rcu.readLock(task);
    const group = this.#groups.get(name);
    const statistics = group === undefined ? null : statisticsOf(group);
    this.#rcu.readUnlock(phase, task);
    return statistics;
  }

  /** Null: there is no such group. Waits: never. */
  textOf(name: string, device: string, format: StatFormat, task: Task): string | null {
    this.#touch(this.#look);
    const phase = this.#rcu.readLock(task);
    const group = this.#groups.get(name);
    const text = group === undefined ? null : statTextOf(group, device, format);
    this.#rcu.readUnlock(phase, task);
    return text;
  }

  /** All clients must have gone. Waits: until nobody looks at a group, nor allocates for one. */
  async destroy(task: Task): Promise<void> {
    for (const name of [...this.#groups.keys()]) this.remove(name);
    const stopped = this.#installer.stop(task);
    if (isPending(stopped)) await stopped;
    this.#groups.delete(ROOT_GROUP);
    this.root.unlink();
    // The queue's own.
    this.root.put();
    const quiet = this.#rcu.barrier(task);
    if (isPending(quiet)) await quiet;
    invariant(this.#shares.liveCount === 0, "a group outlives its disk");
  }

  #touch(access: Access): void {
    if (this.#scheduler.isExploring) this.#scheduler.touch(access);
  }
}

/** What a share takes in the heap, measured. */
const SHARE_BYTES = 256;

function statisticsOf(group: CfqGroup): CfqStatistics {
  const { weight, served, queued, dequeues } = group.share;
  return {
    weight,
    time: served,
    queued,
    dequeues,
    serviced: countOf(group, StatFamily.Ios),
    sectors: countOf(group, StatFamily.Bytes) / SECTOR_BYTES,
    merged: countOf(group, StatFamily.Merged),
  };
}
