import { type Bio, invariant } from "@blkstack/bio";
import { BlockError, type Errno, type Submitter } from "@blkstack/block";
import {
  correctAsync,
  GROUP_STAT_WORDS,
  GroupStats,
  ioStatLine,
  Rcu,
  type StatsAlloc,
  type StatsInstaller,
} from "@blkstack/io-group";
import { GFP_ATOMIC, GFP_KERNEL, type Memory, PerCpuAllocator } from "@blkstack/memory";
import { type Awaitable, isPending, type Scheduler, Spinlock, type Task } from "@blkstack/task";
import type { ControlGroup } from "./control-group.ts";
import { Dispatcher } from "./dispatcher.ts";
import { type GroupLimits, NO_LIMITS } from "./limits.ts";
import { ThrottleGroup } from "./throttle-group.ts";
import { type PortOwner, ThrottlePort } from "./throttle-port.ts";

/** The site of allocations of groups in a fault plan. */
const GROUP_SITE = "throttle groups";

export interface ThrottleOptions {
  readonly scheduler: Scheduler;
  readonly memory: Memory;
  /** Where bios go that have waited. */
  readonly submitter: Submitter;
  /** How many cpus count. Default: 1. */
  readonly cpus?: number;
  /** Where statistics are allocated. Default: `correctAsync`. */
  readonly statsAlloc?: StatsAlloc;
  /**
   * `nested`: limits bind the groups below too. `flat`: each group for itself, as before 2013.
   * Default: nested.
   */
  readonly hierarchy?: "nested" | "flat";
  /**
   * In which order bios of one group go: as they came, or its tasks in turn, so that one with many
   * bios does not keep the others waiting. Default: as they came.
   */
  readonly fairness?: "arrival" | "tasks";
}

export interface GroupOptions {
  readonly limits?: Partial<GroupLimits>;
  /** The group whose limits bind this one too; the root unless told. */
  readonly parent?: string;
  /** For how long allowances are kept that are not used: the depth of the bucket. Default: 0. */
  readonly burstMs?: number;
}

/**
 * Groups with limits of what they may do each second, together, on all devices that they use.
 *
 * Bios that may not go yet wait here, and go on from a worker. Nobody waits with them.
 */
export class Throttle {
  readonly #scheduler: Scheduler;
  readonly #root: ThrottleGroup;
  readonly #nests: boolean;
  readonly #memory: Memory;
  readonly #statsMemory: PerCpuAllocator;
  readonly #installer: StatsInstaller;
  readonly #rcu: Rcu;
  readonly #lock: Spinlock;
  readonly #dispatcher: Dispatcher;
  readonly #controls = new Map<string, ControlGroup>();

  /** Throws a BlockError (ENOMEM) when there is no memory for the statistics of the root. */
  constructor(options: ThrottleOptions) {
    const { scheduler, memory, submitter, cpus = 1 } = options;
    const { statsAlloc = correctAsync, hierarchy = "nested", fairness = "arrival" } = options;
    this.#scheduler = scheduler;
    this.#nests = hierarchy === "nested";
    this.#memory = memory;
    this.#statsMemory = new PerCpuAllocator({ memory, cpus, label: "throttle statistics" });
    this.#installer = statsAlloc({ scheduler, memory: this.#statsMemory });
    this.#rcu = new Rcu(scheduler, "grace period of throttle");
    this.#lock = new Spinlock("throttle");
    this.#root = this.#makeRoot();
    const nests = this.#nests;
    const takesTurns = fairness === "tasks";
    this.#dispatcher = new Dispatcher({
      scheduler,
      nests,
      takesTurns,
      submitter,
      lock: this.#lock,
    });
  }

  /** Names of the groups. */
  get groupNames(): string[] {
    return [...this.#controls.keys()];
  }

  /** Bios that wait, of all groups. */
  get heldCount(): number {
    return this.#dispatcher.heldCount;
  }

  /** Throws a BlockError: EEXIST for a name that is taken, ENOENT for a parent that is not there. */
  addGroup(name: string, options: GroupOptions = {}): void {
    if (this.#controls.has(name)) throw complaint("EEXIST", `there is a group "${name}" already`);
    const parent = options.parent === undefined ? null : this.#controlOf(options.parent);
    const limits = { ...NO_LIMITS, ...options.limits };
    const { burstMs = 0 } = options;
    if (parent !== null) parent.userCount += 1;
    this.#controls.set(name, { name, parent, limits, burstMs, group: null, userCount: 0 });
  }

  /**
   * What waits goes on under its limits. Throws a BlockError: ENOENT, or EBUSY while there are ports
   * or groups below it. Waits: never.
   */
  removeGroup(name: string): void {
    const control = this.#controlOf(name);
    if (control.userCount > 0) throw complaint("EBUSY", `the group "${name}" is in use`);
    this.#controls.delete(name);
    if (control.parent !== null) control.parent.userCount -= 1;
    this.#unlink(control);
  }

  limitsOf(name: string): GroupLimits {
    return this.#controlOf(name).limits;
  }

  /**
   * Changes limits at once, for what waits already too; what was done before does not count. Throws
   * a BlockError: ENOENT. Waits: never.
   */
  setLimits(name: string, limits: Partial<GroupLimits>, burstMs?: number): void {
    const control = this.#controlOf(name);
    control.limits = { ...control.limits, ...limits };
    control.burstMs = burstMs ?? control.burstMs;
    const { group } = control;
    if (group === null) return;
    group.setLimits(control.limits, control.burstMs);
    this.#findWhoIsLimited();
    this.#dispatcher.limitsChanged(group);
  }

  /** For one user of a group; null: the root, which has no limits. Throws a BlockError: ENOENT. */
  openPort(name: string | null): ThrottlePort {
    const control = name === null ? null : this.#controlOf(name);
    if (control !== null) control.userCount += 1;
    const owner: PortOwner = {
      admit: (bio, port, task) => this.#admit(bio, port, control, task),
      drain: (port, task) => this.#dispatcher.drain(port, task),
      closed: () => {
        if (control !== null) control.userCount -= 1;
      },
    };
    return new ThrottlePort(owner, name);
  }

  /** A line of io.stat with what the group has done, and those below it. */
  ioStat(name: string, device: string): string {
    return ioStatLine(device, this.#groupsFrom(this.#controlOf(name)));
  }

  /** How many bios of the group were held for how long: see `HISTOGRAM_BUCKETS`. */
  heldHistogram(name: string): number[] {
    return this.#controlOf(name).group?.stats?.heldHistogram() ?? [];
  }

  resetStats(name: string): void {
    this.#controlOf(name).group?.resetStats();
  }

  /**
   * The end: what waits goes on at once. No port may be open. Waits: until it has gone, and nothing
   * is allocated any more.
   */
  async stop(task: Task): Promise<void> {
    for (const { name, userCount, parent } of this.#controls.values()) {
      const below = [...this.#controls.values()].filter((other) => other.parent?.name === name);
      invariant(userCount === below.length, `throttle ends, and a port of "${name}" is open`);
      invariant(parent === null || this.#controls.has(parent.name), "a group without its parent");
    }
    await this.#dispatcher.stop(task);
    for (const control of this.#controls.values()) this.#unlink(control);
    this.#controls.clear();
    this.#root.unlink();
    await this.#installer.stop(task);
    await this.#rcu.barrier(task);
    this.#root.put();
  }

  #makeRoot(): ThrottleGroup {
    const block = this.#statsMemory.tryAlloc(GROUP_STAT_WORDS, GFP_KERNEL);
    if (block === null) throw complaint("ENOMEM", "no memory for the statistics of the root");
    const root = new ThrottleGroup({ ...this.#groupOptions("/", null), isEmbedded: true }, null);
    root.installStats(new GroupStats(block));
    return root;
  }

  #groupOptions(name: string, parent: ThrottleGroup | null) {
    return { name, parent, rcu: this.#rcu, statsMemory: this.#statsMemory };
  }

  #admit(
    bio: Bio,
    port: ThrottlePort,
    control: ControlGroup | null,
    task: Task,
  ): Awaitable<boolean> {
    if (control === null) return this.#pass(bio, this.#root, task);
    if (this.#scheduler.isExploring && task.atomicDepth === 0) {
      return this.#admitExplored(bio, port, control, task);
    }
    const { group } = control;
    // Nearly all bios end here, where there are no limits.
    if (group !== null && !group.laneOf(bio).isLimited) return this.#pass(bio, group, task);
    return this.#admitLocked(bio, port, control, task);
  }

  #pass(bio: Bio, group: ThrottleGroup, task: Task): boolean {
    group.countIo(bio, task.cpu);
    return false;
  }

  /** As for real, with the places at which others may come in between. */
  async #admitExplored(
    bio: Bio,
    port: ThrottlePort,
    control: ControlGroup,
    task: Task,
  ): Promise<boolean> {
    const phase = this.#rcu.readLock(task);
    const { group } = control;
    const mayPass = group !== null && !group.laneOf(bio).isLimited;
    if (mayPass) this.#pass(bio, group, task);
    this.#rcu.readUnlock(phase, task);
    return mayPass ? false : this.#admitLocked(bio, port, control, task);
  }

  #admitLocked(
    bio: Bio,
    port: ThrottlePort,
    control: ControlGroup,
    task: Task,
  ): Awaitable<boolean> {
    const turn = this.#lock.lock(task);
    if (turn === undefined) return this.#decide(bio, port, control, task);
    return turn.then(() => this.#decide(bio, port, control, task));
  }

  /** Under the lock, which it drops. */
  #decide(bio: Bio, port: ThrottlePort, control: ControlGroup, task: Task): Awaitable<boolean> {
    const group = control.group ?? this.#make(control);
    if (group === null) {
      // Without memory for a group its bio is the root's this once: neither refused nor held.
      this.#lock.unlock(task);
      return this.#pass(bio, this.#root, task);
    }
    if (!group.hasAskedForStats) {
      this.#lock.unlock(task);
      const asked = this.#askForStats(group, task);
      // The lock was dropped: all may be different now.
      if (isPending(asked)) return asked.then(() => this.#admitLocked(bio, port, control, task));
      return this.#admitLocked(bio, port, control, task);
    }
    const isHeld = this.#dispatcher.admit(bio, group, port, task);
    this.#lock.unlock(task);
    return isHeld;
  }

  /** For a new group, and for those above it that are as new. */
  #askForStats(group: ThrottleGroup, task: Task): Awaitable<void> {
    group.hasAskedForStats = true;
    const asked = this.#installer.request(group, task);
    const { above } = group;
    if (above === null || above === this.#root || above.hasAskedForStats) return asked;
    if (isPending(asked)) return asked.then(() => this.#askForStats(above, task));
    return this.#askForStats(above, task);
  }

  /** Atomic: it takes no memory that one may have to wait for. */
  #make(control: ControlGroup): ThrottleGroup | null {
    const parent = control.parent;
    const above = parent === null ? this.#root : (parent.group ?? this.#make(parent));
    if (above === null || !this.#memory.tryTakePages(0, GFP_ATOMIC, GROUP_SITE)) return null;
    const group = new ThrottleGroup(this.#groupOptions(control.name, above), above);
    group.setLimits(control.limits, control.burstMs);
    group.findWhetherLimited(this.#nests);
    control.group = group;
    return group;
  }

  #unlink(control: ControlGroup): void {
    const { group } = control;
    control.group = null;
    if (group === null) return;
    this.#installer.cancel(group);
    group.unlink();
  }

  /** Parents stand before their children, for they were added first. */
  #findWhoIsLimited(): void {
    for (const { group } of this.#controls.values()) group?.findWhetherLimited(this.#nests);
  }

  #groupsFrom(top: ControlGroup): ThrottleGroup[] {
    const found = [...this.#controls.values()].filter((control) => isWithin(control, top));
    return found.flatMap(({ group }) => group ?? []);
  }

  #controlOf(name: string): ControlGroup {
    const control = this.#controls.get(name);
    if (control === undefined) throw complaint("ENOENT", `there is no group "${name}"`);
    return control;
  }
}

function isWithin(control: ControlGroup, top: ControlGroup): boolean {
  for (let at: ControlGroup | null = control; at !== null; at = at.parent) {
    if (at === top) return true;
  }
  return false;
}

function complaint(errno: Errno, message: string): BlockError {
  return new BlockError("BLK_STATE", errno, message);
}
