import { type BlockDevice, BlockError, type Submitter } from "@blkstack/block";
import { CfqQueue, type CfqStatistics, type StatFormat, WEIGHT_DEFAULT } from "@blkstack/cfq";
import { type Memory, PerCpuAllocator } from "@blkstack/memory";
import type { Scheduler, Task } from "@blkstack/task";
import { type GroupLimits, Throttle } from "@blkstack/throttle";
import type { GroupDescription } from "./description.ts";
import { changeGroup, formatGroup } from "./group.ts";
import { GroupMember } from "./group-member.ts";
import { parentOf } from "./names.ts";

/** Short turns: disks are files, and have no head to move between them. */
const LATENCY_TICKS = 60;

export interface StackGroupsParts {
  readonly scheduler: Scheduler;
  readonly submitter: Submitter;
  readonly memory: Memory;
}

/** What a group has of one device that it shares with others by weight. */
export interface GroupShareReport extends CfqStatistics {
  /** The disk or device. */
  readonly device: string;
}

/** A group as it is now. */
export interface GroupReport {
  readonly name: string;
  /** What is not there is not limited. */
  readonly limits: Omit<GroupDescription, "weight">;
  /** The limits in the words of a stack file. */
  readonly words: string;
  readonly weight?: number;
  /** Bios that wait because of its limits, or of those of a group above. */
  readonly held: number;
  /** What it has done, on all devices together: the words of io.stat. */
  readonly counts: Readonly<Record<string, number>>;
  /** Where it has begun to use what others use too. */
  readonly shares: readonly GroupShareReport[];
}

/** A queue in front of a device, and who of those that use it. */
interface SharedDevice {
  readonly queue: CfqQueue;
  userCount: number;
}

/**
 * The groups of an open stack: their limits, and their shares of the devices that they use.
 *
 * A device has a queue that shares it by weight from the first user on whose group has a weight. Who
 * uses it from then on goes through that queue too, in a group or in none; nobody else should.
 */
export class StackGroups {
  readonly #parts: StackGroupsParts;
  readonly #throttle: Throttle;
  readonly #statsMemory: PerCpuAllocator;
  readonly #groups = new Map<string, GroupDescription>();
  readonly #shared = new Map<BlockDevice, SharedDevice>();
  readonly #members = new Set<GroupMember>();

  /** Not for users: `openStack` makes them. */
  constructor(parts: StackGroupsParts) {
    this.#parts = parts;
    this.#throttle = new Throttle({ ...parts, fairness: "ports" });
    this.#statsMemory = new PerCpuAllocator({ memory: parts.memory, label: "cfq statistics" });
  }

  /** What targets ask for that keep limits. */
  get throttle(): Throttle {
    return this.#throttle;
  }

  get names(): string[] {
    return [...this.#groups.keys()];
  }

  has(name: string): boolean {
    return this.#groups.has(name);
  }

  /** Throws a BlockError: EEXIST for a name that is taken, ENOENT when the group above is not there. */
  add(name: string, group: GroupDescription = {}): void {
    const parent = parentOf(name);
    // Before there are clients, so that none of what they do is missed.
    const isCountedFromStart = true;
    const options = { limits: limitsOf(group), burstMs: group.burstMs ?? 0, isCountedFromStart };
    this.#throttle.addGroup(name, { ...options, ...(parent !== undefined && { parent }) });
    this.#groups.set(name, group);
  }

  /** Throws a BlockError: ENOENT, or EBUSY while it is used, or there are groups below it. */
  remove(name: string): void {
    this.#throttle.removeGroup(name);
    this.#groups.delete(name);
    for (const { queue } of this.#shared.values()) queue.removeGroup(name);
  }

  /**
   * Changes what the words name: `rbps=max weight=300`. At once, also for what waits; a weight from
   * the group's next turn on. All or nothing. Answers what it is then.
   *
   * Throws a BlockError: ENOENT for a group that is not there; EINVAL for words that are none, and
   * for a weight of a group that uses a device past the queue of that: there was none at the start.
   */
  change(name: string, words: string): GroupDescription {
    const changed = changedBy(words, name, this.#described(name, this.#groupOf(name)));
    this.set(name, changed);
    return changed;
  }

  /** The same with all that a group may: what is not there is not limited, and not weighed. */
  set(name: string, group: GroupDescription = {}): void {
    const { weight = WEIGHT_DEFAULT, burstMs = 0 } = group;
    this.#groupOf(name);
    if (group.weight !== undefined && this.#isPastQueues(name)) {
      const message = `group ${JSON.stringify(name)} is in use and had no weight at the start; give it one in the stack file`;
      throw new BlockError("BLK_STATE", "EINVAL", message);
    }
    this.#groups.set(name, group);
    this.#throttle.setLimits(name, limitsOf(group), burstMs);
    for (const { queue } of this.#shared.values()) queue.setWeight(name, weight);
  }

  /** Throws a BlockError: ENOENT. Waits: never. */
  report(name: string, task: Task): GroupReport {
    const { weight, ...limits } = this.#described(name, this.#groupOf(name));
    const shares = [...this.#shared].flatMap(([device, { queue }]) => {
      const statistics = queue.statisticsOf(name, task);
      return statistics === null ? [] : [{ device: device.name, ...statistics }];
    });
    const held = this.#throttle.heldCountOf(name);
    const counts = countsOf(this.#throttle.ioStat(name, name));
    const share = weight === undefined ? {} : { weight };
    return { name, limits, words: formatGroup(limits), ...share, held, counts, shares };
  }

  /**
   * What it has done as lines of text: on all devices together behind its name, and for each device
   * that it shares behind the name of that. Throws a BlockError: ENOENT. Waits: never.
   */
  statText(name: string, format: StatFormat, task: Task): string[] {
    this.#groupOf(name);
    const all =
      format === "io.stat"
        ? this.#throttle.ioStat(name, name)
        : this.#throttle.blkioText(name, name);
    const texts = [...this.#shared].map(([device, { queue }]) =>
      queue.statTextOf(name, device.name, format, task),
    );
    return [all, ...texts].flatMap((text) => text?.split("\n") ?? []);
  }

  /**
   * A device for one user of `device`, in a group or in none. To be left after use.
   *
   * Throws a BlockError: ENOENT for a group that is not there, ENOMEM. Waits: for memory.
   */
  async enter(device: BlockDevice, group: string | null, task: Task): Promise<GroupMember> {
    const { submitter } = this.#parts;
    const weight = group === null ? undefined : this.#groupOf(group).weight;
    const shared = await this.#share(device, weight, task);
    const name = group === null ? device.name : `${device.name} in ${group}`;
    const client = shared?.queue.openClient({ name, ...(group !== null && { group }) }) ?? null;
    const port = group === null ? null : this.#throttle.openPort(group);
    const member = new GroupMember({ device, group, client, port, submitter });
    if (shared !== null) {
      shared.userCount += 1;
      if (group !== null && weight !== undefined) shared.queue.setWeight(group, weight);
    }
    this.#members.add(member);
    return member;
  }

  /** Ends the use of a device. Waits: until what waits for the group has gone on, and has ended. */
  async leave(member: GroupMember, task: Task): Promise<void> {
    if (!this.#members.delete(member)) return;
    await member.close(task);
    const shared = this.#shared.get(member.below);
    if (shared === undefined || !member.isShared) return;
    shared.userCount -= 1;
    if (shared.userCount > 0) return;
    this.#shared.delete(member.below);
    await shared.queue.destroy(task);
  }

  /** All leave. Waits: until what waits for groups has gone on, and has ended. */
  async leaveAll(task: Task): Promise<void> {
    for (const member of [...this.#members].reverse()) await this.leave(member, task);
  }

  /** The queue of a device, made when the weight is the first one there; null: it has none. */
  async #share(
    device: BlockDevice,
    weight: number | undefined,
    task: Task,
  ): Promise<SharedDevice | null> {
    const known = this.#shared.get(device);
    if (known !== undefined || weight === undefined) return known ?? null;
    const statsMemory = this.#statsMemory;
    const { name } = device;
    const options = { ...this.#parts, name, device, statsMemory, latencyTicks: LATENCY_TICKS };
    const queue = await CfqQueue.create(options, task);
    const made: SharedDevice = { queue, userCount: 0 };
    this.#shared.set(device, made);
    return made;
  }

  /** Whether there is a device that it uses without taking turns. */
  #isPastQueues(group: string): boolean {
    return [...this.#members].some((member) => member.group === group && !member.isShared);
  }

  /** With the limits of now, which messages to targets change too. */
  #described(name: string, { weight }: GroupDescription): GroupDescription {
    const limits = Object.entries(this.#throttle.limitsOf(name)).filter(
      ([, limit]) => limit !== Infinity,
    );
    const burstMs = this.#throttle.burstMsOf(name);
    return {
      ...Object.fromEntries(limits),
      ...(burstMs > 0 && { burstMs }),
      ...(weight !== undefined && { weight }),
    };
  }

  #groupOf(name: string): GroupDescription {
    const group = this.#groups.get(name);
    if (group !== undefined) return group;
    throw new BlockError("BLK_STATE", "ENOENT", `there is no group ${JSON.stringify(name)}`);
  }
}

function changedBy(words: string, name: string, group: GroupDescription): GroupDescription {
  try {
    return changeGroup(group, words);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new BlockError("BLK_LIMITS", "EINVAL", `group ${JSON.stringify(name)}: ${message}`);
  }
}

/** Of a line of io.stat. */
function countsOf(line: string): Record<string, number> {
  const words = [...line.matchAll(/ (\w+)=(\d+)(?= |$)/g)];
  return Object.fromEntries(words.map(([, key = "", count = ""]) => [key, Number(count)]));
}

function limitsOf({ rbps, wbps, riops, wiops }: GroupDescription): GroupLimits {
  return {
    rbps: rbps ?? Infinity,
    wbps: wbps ?? Infinity,
    riops: riops ?? Infinity,
    wiops: wiops ?? Infinity,
  };
}
