import type { Bio } from "@blkstack/bio";
import { type BlockDevice, BlockError, type Submitter } from "@blkstack/block";
import { GROUP_STAT_WORDS, Rcu } from "@blkstack/io-group";
import { GFP_KERNEL, type Memory, type PerCpuAllocator, type PerCpuBlock } from "@blkstack/memory";
import { type Awaitable, type Scheduler, type Task, type Waitable } from "@blkstack/task";
import { CfqClient, type CfqClientOptions, type ClientHost } from "./cfq-client.ts";
import { ClientQueue } from "./client-queue.ts";
import { Dispatcher } from "./dispatcher.ts";
import { type CfqStatistics, GroupTable } from "./group-table.ts";
import type { StatFormat } from "./stat-text.ts";
import { PRIORITY_DEFAULT, PRIORITY_MAX, Timing } from "./timing.ts";
import type { ChargePolicy } from "./turn.ts";

const DEPTH = 16;
const HZ = 1000;

type Range = readonly [least: number, most: number];

const DEPTH_RANGE: Range = [1, 65_536];
const HZ_RANGE: Range = [100, 65_536];
const IDLE_RANGE: Range = [0, 65_536];
const LATENCY_RANGE: Range = [1, 65_536];
const PRIORITY_RANGE: Range = [0, PRIORITY_MAX];

export interface CfqQueueOptions {
  /** What reports call the queue. */
  readonly name: string;
  /** The disk that is shared. Nobody else should use it. */
  readonly device: BlockDevice;
  readonly scheduler: Scheduler;
  readonly submitter: Submitter;
  readonly memory: Memory;
  /** Where statistics come from. */
  readonly statsMemory: PerCpuAllocator;
  /** Bios that the disk may have at a time; 16 unless told. Who has more in one turn has the next's. */
  readonly depth?: number;
  /** Ticks of the clock in a second; 1000 unless told. */
  readonly hz?: number;
  /** How many ticks a client that has its turn is waited for; a twentieth of a second unless told. */
  readonly idleTicks?: number;
  /**
   * In how many ticks each group should have its turn; three tenths of a second unless told. Shorter
   * turns make shares exact sooner; longer ones spare a disk that has to move its head between them.
   */
  readonly latencyTicks?: number;
  /**
   * What a turn costs its group. "used", unless told: the time that it took while others wanted the disk
   * too. "slice": no more than its slice.
   */
  readonly charge?: ChargePolicy;
}

/**
 * Shares the time of a disk among groups of clients, by weight: a group of weight 300 is served three
 * times as long as one of weight 100, as long as both want to be. Inside a group clients take turns.
 *
 * Taught by Linux's CFQ, and by "block: Make blkio stats allocation asynchronous" (2011).
 */
export class CfqQueue implements ClientHost, Waitable {
  readonly label: string;
  readonly device: BlockDevice;
  readonly #groups: GroupTable;
  readonly #dispatcher: Dispatcher;
  readonly #clients = new Set<CfqClient>();
  /** For bios whose group cannot be made. */
  readonly #strays: ClientQueue;
  readonly #async: ClientQueue;

  /**
   * Throws a BlockError: ENOMEM when there is no memory for the statistics of the root group, EINVAL
   * for numbers that are none. Waits: for memory.
   */
  static async create(options: CfqQueueOptions, task: Task): Promise<CfqQueue> {
    const { name, depth = DEPTH, hz = HZ, statsMemory } = options;
    checkCount(name, "depth", depth, DEPTH_RANGE);
    checkCount(name, "hz", hz, HZ_RANGE);
    checkCount(name, "idleTicks", options.idleTicks ?? 0, IDLE_RANGE);
    checkCount(name, "latencyTicks", options.latencyTicks ?? 1, LATENCY_RANGE);
    const rootStats = await statsMemory.alloc(GROUP_STAT_WORDS, GFP_KERNEL, task);
    if (rootStats === null) {
      const message = `cfq of ${name}: no memory for the statistics of the root group`;
      throw new BlockError("BLK_DEVICE", "ENOMEM", message);
    }
    return new CfqQueue(options, rootStats);
  }

  private constructor(options: CfqQueueOptions, rootStats: PerCpuBlock) {
    const { name, device, scheduler, submitter, memory, statsMemory, hz = HZ } = options;
    const timing = new Timing(scheduler.clock, hz, options);
    this.label = `cfq of ${name}`;
    this.device = device;
    const rcu = new Rcu(scheduler, `readers of the groups of ${name}`);
    this.#groups = new GroupTable({ name, scheduler, memory, statsMemory, rcu, rootStats });
    const depth = options.depth ?? DEPTH;
    const { charge = "used" } = options;
    const parts = { name, scheduler, submitter, device, depth, timing, charge };
    this.#dispatcher = new Dispatcher(parts);
    const { root } = this.#groups;
    this.#strays = new ClientQueue("bios of no group", true, PRIORITY_DEFAULT, root);
    this.#async = new ClientQueue("writes that nobody waits for", false, PRIORITY_DEFAULT, root);
    root.get();
    root.get();
  }

  /** Bios that wait for their turn. */
  get queued(): number {
    return this.#dispatcher.queued;
  }

  /** Bios that the disk has. */
  get inFlight(): number {
    return this.#dispatcher.inFlight;
  }

  /** The groups that are there: those that have sent a bio, and the root. */
  get groups(): Iterable<string> {
    return this.#groups.names;
  }

  blockers(): readonly object[] {
    return this.#dispatcher.blockers();
  }

  /**
   * A device for one client; its group comes into being with its first bio. Close it after use.
   *
   * Throws a BlockError, EINVAL, for a priority outside 0 to 7.
   */
  openClient(options: CfqClientOptions): CfqClient {
    checkCount(options.name, "priority", options.priority ?? PRIORITY_DEFAULT, PRIORITY_RANGE);
    const client = new CfqClient(this, options);
    this.#clients.add(client);
    return client;
  }

  /**
   * The share of a group, whether it is there or not; 500 for those that nothing is said of, 1000
   * for the root. Applies to a group at work from its next turn on.
   *
   * Throws a BlockError, EINVAL, for a weight outside 10 to 1000.
   */
  setWeight(group: string, weight: number): void {
    this.#groups.setWeight(group, weight);
  }

  /**
   * Forgets a group and its weight. Clients that have sent bios keep it to their end. Answers false if
   * there is none. Waits: never.
   */
  removeGroup(group: string): boolean {
    return this.#groups.remove(group);
  }

  /** Null: there is no such group. Waits: never. */
  statisticsOf(group: string, task: Task): CfqStatistics | null {
    return this.#groups.statisticsOf(group, task);
  }

  /**
   * The same as text, with `device` for the number of the disk; null: there is no such group. The
   * lines of `io.stat`, or of the files of the first version of cgroups with their names: see
   * `StatFormat`. Waits: never.
   */
  statTextOf(group: string, device: string, format: StatFormat, task: Task): string | null {
    return this.#groups.textOf(group, device, format, task);
  }

  /** Closes all clients, and forgets all groups. Waits: for the bios of all clients. */
  async destroy(task: Task): Promise<void> {
    for (const client of [...this.#clients]) await client.close(task);
    await this.#dispatcher.drain(null, task);
    for (const queue of [this.#strays, this.#async]) this.#release(queue);
    await this.#dispatcher.destroy(task);
    await this.#groups.destroy(task);
  }

  /** For the client. */
  submit(bio: Bio, client: CfqClient, task: Task): Awaitable<void> {
    return this.#dispatcher.submit(bio, this.#queueFor(bio, client, task), task);
  }

  /** For the client. */
  async closeClient(client: CfqClient, task: Task): Promise<void> {
    await client.queue.markDying(task);
    await this.#dispatcher.drain(client.bios, task);
    if (this.#clients.delete(client)) this.#release(client.bios);
  }

  #queueFor(bio: Bio, client: CfqClient, task: Task): ClientQueue {
    if (client.hasAsyncWrites && !bio.isSync) return this.#async;
    const { bios } = client;
    if (bios.group !== null) return bios;
    const { root } = this.#groups;
    const group = client.group === null ? root : this.#groups.findOrCreate(client.group, task);
    // The I/O is neither failed nor kept back: it escapes its group, and the next one asks again.
    if (group === null) return this.#strays;
    group.get();
    bios.group = group;
    return bios;
  }

  #release(queue: ClientQueue): void {
    const { group } = queue;
    if (group === null) return;
    this.#dispatcher.release(queue);
    queue.group = null;
    group.put();
  }
}

function checkCount(name: string, what: string, value: number, [least, most]: Range): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  const range = `${String(least)} to ${String(most)}`;
  const message = `cfq of ${name}: ${what} of ${String(value)}; give a whole number from ${range}`;
  throw new BlockError("BLK_DEVICE", "EINVAL", message);
}
