import { type Bio, invariant } from "@blkstack/bio";
import {
  blkioFile,
  correctAsync,
  GROUP_STAT_WORDS,
  GroupStats,
  ioStatLine,
  Rcu,
  StatFamily,
  StatKind,
  type StatsInstaller,
} from "@blkstack/io-group";
import { GFP_ATOMIC, GFP_KERNEL, type Memory, PerCpuAllocator } from "@blkstack/memory";
import { type Awaitable, isPending, type Scheduler, Spinlock, type Task } from "@blkstack/task";
import { type Accounting, countsWhenCharged } from "./accounting.ts";
import { type ChooseGroup, type GroupLookup, ownGroupOrRoot } from "./choose-group.ts";
import { complaint } from "./complaint.ts";
import type { ControlGroup } from "./control-group.ts";
import { ControlGroups } from "./control-groups.ts";
import { Dispatcher } from "./dispatcher.ts";
import { type GroupLimits, NO_LIMITS } from "./limits.ts";
import { ThrottleGroup } from "./throttle-group.ts";
import type { GroupOptions, ThrottleOptions } from "./throttle-options.ts";
import { type PortOwner, ThrottlePort } from "./throttle-port.ts";

/** The site of allocations of groups in a fault plan. */
const GROUP_SITE = "throttle groups";

/**
 * Groups with limits of what they may do each second, together, on all devices that they use.
 *
 * Bios that may not go yet wait here, and go on from a worker. Nobody waits with them.
 */
export class Throttle {
  readonly #scheduler: Scheduler;
  readonly #root: ThrottleGroup;
  readonly #nests: boolean;
  readonly #dropsFractions: boolean;
  readonly #memory: Memory;
  readonly #statsMemory: PerCpuAllocator;
  readonly #installer: StatsInstaller;
  readonly #rcu: Rcu;
  readonly #lock: Spinlock;
  readonly #dispatcher: Dispatcher;
  readonly #chooseGroup: ChooseGroup;
  readonly #accounting: Accounting;
  readonly #controls: ControlGroups;

  /** Throws a BlockError (ENOMEM) when there is no memory for the statistics of the root. */
  constructor(options: ThrottleOptions) {
    const { scheduler, memory, submitter, cpus = 1 } = options;
    const { statsAlloc = correctAsync, hierarchy = "nested", fairness = "arrival" } = options;
    const { chooseGroup = ownGroupOrRoot, accounting = countsWhenCharged } = options;
    this.#scheduler = scheduler;
    this.#nests = hierarchy === "nested";
    this.#dropsFractions = options.fractions === "dropped";
    this.#memory = memory;
    this.#chooseGroup = chooseGroup;
    this.#accounting = accounting;
    this.#statsMemory =
      options.statsMemory ?? new PerCpuAllocator({ memory, cpus, label: "throttle statistics" });
    this.#installer = statsAlloc({ scheduler, memory: this.#statsMemory });
    this.#rcu = new Rcu(scheduler, "grace period of throttle");
    this.#lock = new Spinlock("throttle");
    this.#controls = new ControlGroups(scheduler);
    this.#root = this.#makeRoot();
    const nests = this.#nests;
    this.#dispatcher = new Dispatcher({
      scheduler,
      nests,
      fairness,
      submitter,
      accounting,
      lock: this.#lock,
      controls: this.#controls,
    });
  }

  /** Names of the groups. */
  get groupNames(): string[] {
    return this.#controls.names;
  }

  /** Bios that wait, of all groups. */
  get heldCount(): number {
    return this.#dispatcher.heldCount;
  }

  /** Throws a BlockError: EEXIST for a name that is taken, ENOENT for a parent that is not there. */
  addGroup(name: string, options: GroupOptions = {}): void {
    this.#controls.checkFree(name);
    const parent = options.parent === undefined ? null : this.#controls.of(options.parent);
    const limits = { ...NO_LIMITS, ...options.limits };
    const { burstMs = 0 } = options;
    const control: ControlGroup = {
      name,
      parent,
      lookup: this.#lookupOf(() => control.group ?? this.#make(control)),
      limits,
      burstMs,
      group: null,
      userCount: 0,
    };
    this.#controls.add(control);
    if (options.isCountedFromStart === true) this.#countFromStart(this.#make(control));
  }

  /**
   * What waits goes on under its limits. Throws a BlockError: ENOENT, or EBUSY while there are ports
   * or groups below it. Waits: never.
   */
  removeGroup(name: string): void {
    const control = this.#controls.of(name);
    this.#controls.delete(control);
    this.#unlink(control);
  }

  limitsOf(name: string): GroupLimits {
    return this.#controls.of(name).limits;
  }

  /** For how long allowances of the group are kept. Throws a BlockError: ENOENT. */
  burstMsOf(name: string): number {
    return this.#controls.of(name).burstMs;
  }

  /**
   * Changes limits at once, for what waits already too; what was done before does not count. Throws
   * a BlockError: ENOENT. Waits: never.
   */
  setLimits(name: string, limits: Partial<GroupLimits>, burstMs?: number): void {
    this.#controls.changes();
    const control = this.#controls.of(name);
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
    this.#controls.changes();
    const control = name === null ? null : this.#controls.of(name);
    if (control !== null) control.userCount += 1;
    const owner: PortOwner = {
      admit: (bio, port, task) => this.#admit(bio, port, control, task),
      drain: (port, task) => this.#dispatcher.drain(port, task),
      closed: () => {
        this.#controls.changes();
        if (control !== null) control.userCount -= 1;
      },
    };
    return new ThrottlePort(owner, name);
  }

  /** Bios that wait at the group, or at one below it. Throws a BlockError: ENOENT. */
  heldCountOf(name: string): number {
    const groups = this.#controls.groupsFrom(this.#controls.of(name));
    return groups.reduce((sum, group) => sum + group.heldCount, 0);
  }

  /** A line of io.stat with what the group has done, and those below it. */
  ioStat(name: string, device: string): string {
    return ioStatLine(device, this.#controls.groupsFrom(this.#controls.of(name)));
  }

  /** The same in the files of the first version of cgroups, each line behind the name of its file. */
  blkioText(name: string, device: string): string {
    const groups = this.#controls.groupsFrom(this.#controls.of(name));
    return [
      ...blkioFile("throttle.io_service_bytes", device, groups, StatFamily.Bytes),
      ...blkioFile("throttle.io_serviced", device, groups, StatFamily.Ios),
    ].join("\n");
  }

  /** For how long bios of the group, and of those below it, were held back, in milliseconds. */
  heldMs(name: string): number {
    const kinds = [StatKind.Read, StatKind.Write, StatKind.Discard];
    const held = this.#controls
      .groupsFrom(this.#controls.of(name))
      .flatMap(({ stats }) => kinds.map((kind) => stats?.get(StatFamily.HeldMs, kind) ?? 0));
    return held.reduce((all, one) => all + one, 0);
  }

  /** How many bios of the group were held for how long: see `HISTOGRAM_BUCKETS`. */
  heldHistogram(name: string): number[] {
    return this.#controls.of(name).group?.stats?.heldHistogram() ?? [];
  }

  resetStats(name: string): void {
    this.#controls.of(name).group?.resetStats();
  }

  /**
   * The end: what waits goes on at once. No port may be open. Waits: until it has gone, and nothing
   * is allocated any more.
   */
  async stop(task: Task): Promise<void> {
    this.#controls.checkNoPortIsOpen();
    await this.#dispatcher.stop(task);
    for (const control of this.#controls.all) this.#unlink(control);
    this.#controls.clear();
    this.#root.unlink();
    await this.#installer.stop(task);
    await this.#rcu.barrier(task);
    this.#root.put();
    // Each group keeps the one above it.
    invariant(this.#root.isFreed, "a group outlives its throttle");
  }

  #makeRoot(): ThrottleGroup {
    const block = this.#statsMemory.tryAlloc(GROUP_STAT_WORDS, GFP_KERNEL);
    if (block === null) throw complaint("ENOMEM", "no memory for the statistics of the root");
    const options = { ...this.#groupOptions("/", null), isEmbedded: true };
    const root = new ThrottleGroup(options, null, this.#dropsFractions);
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
    this.#accounting.bioCharged(group, bio, task.cpu);
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
    this.#controls.looks();
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
    this.#controls.looks();
    const group = this.#chooseGroup(control.lookup, task);
    if (group === null || group === this.#root) {
      this.#lock.unlock(task);
      return group === null ? false : this.#pass(bio, group, task);
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

  /** Whether statistics are there, or asked for. Waits: never; what it cannot have it leaves. */
  #countFromStart(group: ThrottleGroup | null): boolean {
    if (group === null || (group.above !== null && !this.#countFromStart(group.above)))
      return false;
    if (group === this.#root || group.hasAskedForStats) return true;
    const block = this.#statsMemory.tryAlloc(GROUP_STAT_WORDS, GFP_KERNEL);
    if (block === null) return false;
    group.hasAskedForStats = true;
    const old = group.installStats(new GroupStats(block));
    invariant(old === null, `${group.label} has statistics that nobody asked for`);
    return true;
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
    const options = this.#groupOptions(control.name, above);
    const group = new ThrottleGroup(options, above, this.#dropsFractions);
    group.setLimits(control.limits, control.burstMs);
    group.findWhetherLimited(this.#nests);
    this.#controls.changes();
    control.group = group;
    return group;
  }

  #lookupOf(findOrCreate: () => ThrottleGroup | null): GroupLookup<ThrottleGroup> {
    return { rcu: this.#rcu, root: this.#root, findOrCreate };
  }

  #unlink(control: ControlGroup): void {
    const { group } = control;
    control.group = null;
    if (group === null) return;
    this.#installer.cancel(group);
    group.unlink();
  }

  #findWhoIsLimited(): void {
    for (const { group } of this.#controls.all) group?.findWhetherLimited(this.#nests);
  }
}
