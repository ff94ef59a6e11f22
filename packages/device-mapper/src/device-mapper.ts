import { type BlockDevice, BlockError, type Submitter } from "@blkstack/block";
import type { Memory } from "@blkstack/memory";
import type { Scheduler, Task } from "@blkstack/task";
import { deviceLabel } from "./device-label.ts";
import { checkDeviceName, checkUuid, DeviceNames } from "./device-names.ts";
import type { DeviceUser } from "./device-users.ts";
import { ERROR_TYPES, errorTableText } from "./error-table.ts";
import { HostOfTargets } from "./host-of-targets.ts";
import { LifeCycle, type SuspendOptions } from "./life-cycle.ts";
import type { LoadedTable } from "./loaded-table.ts";
import { MappedDevice, type PreflushError } from "./mapped-device.ts";
import type { Offload } from "./offload.ts";
import type { TargetRegistry } from "./registry.ts";
import { type FanOutPolicy, wholeSets } from "./fan-out-policy.ts";
import { type FlushPolicy, perDevice } from "./flush-policy.ts";
import { frontClone, type SplitPolicy } from "./split-policy.ts";
import { Services } from "./services.ts";
import { TableLoader } from "./table-loader.ts";

export interface DeviceMapperOptions {
  readonly scheduler: Scheduler;
  readonly submitter: Submitter;
  readonly memory: Memory;
  readonly registry: TargetRegistry;
  /**
   * Finds a device that tables name and that is no mapped device. Throws a BlockError, ENODEV when
   * there is none.
   */
  readonly lookup: (name: string) => BlockDevice;
  /** Further parts of the system that targets may ask for by their class; `memory` is always one. */
  readonly services?: readonly object[];
  /** Told what targets have to say, line by line: `snap: Snapshot overflowed …`. */
  readonly onLog?: (line: string) => void;
  /** How a bio over several targets is cut; `frontClone` unless told. */
  readonly splitPolicy?: SplitPolicy;
  /** Whether parked bios are rescued when a map sleeps; null, unless told: no. */
  readonly offload?: Offload | null;
  /** How several clones for one bio are waited for; `wholeSets` unless told. */
  readonly fanOut?: FanOutPolicy;
  /** Which flushes of its targets a table sends; `perDevice` unless told. */
  readonly flushes?: FlushPolicy;
  /** `propagate` unless told. */
  readonly preflushError?: PreflushError;
  /** Bios that each pool of a mapped device has in reserve; 16 unless told. */
  readonly poolSize?: number;
  /** Bios in reserve for cutting, for each mapped device; 2 unless told. */
  readonly splitPoolSize?: number;
}

export interface CreateOptions {
  /** The text of a table to go live with at once. Without it the device has none. */
  readonly table?: string;
  readonly isReadOnly?: boolean;
  /** At most 128 bytes, of no other device; none unless told. */
  readonly uuid?: string;
  /** The minor number; the lowest free one unless told. */
  readonly minor?: number;
}

export interface LoadOptions {
  readonly isReadOnly?: boolean;
}

export interface RemoveOptions {
  /** An open device goes when it is closed for the last time. */
  readonly deferred?: boolean;
  /** First everything is made to fail that still comes or waits, also when the removal is refused. */
  readonly force?: boolean;
}

/** The table that bios go through, or the one that waits for a resume. */
export type WhichTable = "live" | "inactive";

/** What `dmsetup info` tells. */
export interface DeviceInfo {
  readonly name: string;
  /** Null: it was given none. */
  readonly uuid: string | null;
  /** `253:0` */
  readonly deviceNumber: string;
  readonly isSuspended: boolean;
  readonly isReadOnly: boolean;
  readonly hasLiveTable: boolean;
  readonly hasInactiveTable: boolean;
  readonly isRemovedAtClose: boolean;
  readonly openCount: number;
  readonly eventNumber: number;
  readonly targetCount: number;
}

const POOL_SIZE_DEFAULT = 16;
const SPLIT_POOL_SIZE_DEFAULT = 2;

/**
 * The mapped devices of one system, and the commands that people give for them.
 *
 * Commands throw a BlockError when they are refused: ENXIO for a name that there is not, a
 * `TableError` for a table. Waits: every command waits for those before it on the same device.
 */
export class DeviceMapper {
  readonly #options: DeviceMapperOptions;
  readonly #devices = new DeviceNames();
  readonly #tables: TableLoader;

  constructor(options: DeviceMapperOptions) {
    const { scheduler, memory, submitter, lookup, services = [] } = options;
    this.#options = options;
    this.#tables = new TableLoader({
      devices: this.#devices,
      scheduler,
      submitter,
      lookup,
      flushes: options.flushes ?? perDevice,
      services: new Services(scheduler, [memory, ...services]),
    });
  }

  /** Makes a device; one whose table is refused is not there afterwards. EBUSY: name or uuid is taken. */
  async create(name: string, task: Task, options: CreateOptions = {}): Promise<MappedDevice> {
    checkDeviceName(name);
    const { table, uuid = null } = options;
    if (uuid !== null) {
      checkUuid(uuid);
      this.#devices.checkUuidIsFree(uuid);
    }
    const minor = this.#devices.claim(name, options.minor);
    const { splitPolicy = frontClone, offload = null, preflushError = "propagate" } = this.#options;
    const device = new MappedDevice({
      ...this.#options,
      name,
      minor,
      splitPolicy,
      offload,
      fanOut: this.#options.fanOut ?? wholeSets,
      preflushError,
      poolSize: this.#options.poolSize ?? POOL_SIZE_DEFAULT,
      splitPoolSize: this.#options.splitPoolSize ?? SPLIT_POOL_SIZE_DEFAULT,
    });
    this.#options.submitter.addDevice?.(device);
    const lifeCycle = new LifeCycle(device, (loaded, by) => this.#tables.unload(loaded, by));
    const host = new HostOfTargets(lifeCycle, this.#options.onLog ?? (() => undefined));
    this.#devices.add({ device, lifeCycle, host, uuid, openCount: 0, isRemovedAtClose: false });
    if (table === undefined) return device;
    try {
      await this.load(name, table, task, options);
      await this.resume(name, task);
    } catch (error) {
      await this.remove(name, task);
      throw error;
    }
    return device;
  }

  /** Makes a table ready to be resumed with; the live one is not touched. */
  async load(name: string, text: string, task: Task, options: LoadOptions = {}): Promise<void> {
    const { registry } = this.#options;
    const isReadOnly = options.isReadOnly ?? false;
    await this.#load(name, { text, registry, isReadOnly }, task);
  }

  /** Gives a device that has none a uuid. EINVAL: it has one. EBUSY: another has that one. */
  setUuid(name: string, uuid: string): void {
    const named = this.#devices.get(name);
    checkUuid(uuid);
    if (named.uuid !== null) {
      const message = `mapped device "${name}" has the uuid "${named.uuid}" for good`;
      throw new BlockError("BLK_STATE", "EINVAL", message);
    }
    this.#devices.checkUuidIsFree(uuid);
    named.uuid = uuid;
  }

  /**
   * Puts a table of the same size in place in which everything fails; bios that wait fail, too. Takes
   * the options of the suspend that comes before.
   */
  async wipe(name: string, task: Task, options: SuspendOptions = {}): Promise<void> {
    const { device, lifeCycle } = this.#devices.get(name);
    if (device.live === null) return;
    const { isReadOnly, sizeSectors } = device;
    const source = { text: errorTableText(sizeSectors), registry: ERROR_TYPES, isReadOnly };
    await this.#load(name, source, task);
    await lifeCycle.resume(task, options);
  }

  /** Has a user of the device asked before each suspend. Answers how to be asked no more. */
  addUser(name: string, user: DeviceUser): () => void {
    return this.#devices.get(name).lifeCycle.users.add(user);
  }

  /** Drops the table that was loaded and is not live. */
  async clear(name: string, task: Task): Promise<void> {
    await this.#devices.get(name).lifeCycle.clear(task);
  }

  /**
   * Stops bios. Twice is once. EINTR: it was called off, and bios flow.
   *
   * Waits: until those in flight have ended, or come back.
   */
  async suspend(name: string, task: Task, options: SuspendOptions = {}): Promise<void> {
    await this.#devices.get(name).lifeCycle.suspend(task, options);
  }

  /**
   * Goes live with the table that was loaded, if any, and lets bios flow. EINVAL: no table. A device
   * that is not suspended yet is so for the swap, with these options.
   */
  async resume(name: string, task: Task, options: SuspendOptions = {}): Promise<void> {
    await this.#devices.get(name).lifeCycle.resume(task, options);
  }

  /** Removes a device. Bios that wait for a resume end with an I/O error. EBUSY: it is open. */
  async remove(name: string, task: Task, options: RemoveOptions = {}): Promise<void> {
    const named = this.#devices.get(name);
    if (options.force === true) await this.wipe(name, task, { noflush: true });
    if (named.openCount === 0) {
      await this.#tables.remove(named, task);
      return;
    }
    if (options.deferred !== true) {
      const message = `mapped device "${name}" is open ${String(named.openCount)} times`;
      throw new BlockError("BLK_STATE", "EBUSY", message);
    }
    named.isRemovedAtClose = true;
  }

  /** Keeps a device from being removed until it is closed as often. */
  open(name: string): MappedDevice {
    const named = this.#devices.get(name);
    named.openCount += 1;
    return named.device;
  }

  /** Waits: until the device is gone, if this was the last that its removal waited for. */
  async close(name: string, task: Task): Promise<void> {
    await this.#tables.close(this.#devices.get(name), task);
  }

  /**
   * Hands the target at `sector` of the live table a message; answers what it answers. A first word
   * with an `@` is for the device itself: `@cancel_deferred_remove`. EINVAL: nobody takes it.
   *
   * Waits: as the target does, which must not wait for its own device to be suspended or resumed.
   */
  async message(
    name: string,
    sector: number,
    words: readonly string[],
    task: Task,
  ): Promise<string> {
    const named = this.#devices.get(name);
    if (words.length === 1 && words[0] === "@cancel_deferred_remove") {
      named.isRemovedAtClose = false;
      return "";
    }
    const target = named.device.live?.table.find(sector)?.target;
    const [first = "@"] = words;
    if (target?.message === undefined || first.startsWith("@")) {
      const place = `sector ${String(sector)} of "${name}"`;
      throw new BlockError("BLK_STATE", "EINVAL", `nobody at ${place} takes that message`);
    }
    named.lifeCycle.messages.enter(task);
    try {
      return await target.message(words, task);
    } finally {
      named.lifeCycle.messages.leave(task);
    }
  }

  /**
   * Answers how many events the device has had; its removal is one. Waits: until that is another
   * number than `eventNumber`, which `info` told.
   */
  async wait(name: string, eventNumber: number, task: Task): Promise<number> {
    return this.#devices.get(name).host.events.wait(eventNumber, task);
  }

  /** How the targets of a table are doing, one line each. */
  status(name: string, which: WhichTable = "live"): string[] {
    return this.#tableOf(name, which)?.table.status("info") ?? [];
  }

  /** A table as text. */
  table(name: string, which: WhichTable = "live"): string[] {
    return this.#tableOf(name, which)?.table.status("table") ?? [];
  }

  info(name: string): DeviceInfo {
    const named = this.#devices.get(name);
    const { device, lifeCycle, host, uuid, openCount, isRemovedAtClose } = named;
    return {
      name,
      uuid,
      deviceNumber: device.deviceNumber,
      isSuspended: lifeCycle.isSuspended,
      isReadOnly: device.isReadOnly,
      hasLiveTable: device.live !== null,
      hasInactiveTable: lifeCycle.inactive !== null,
      isRemovedAtClose,
      openCount,
      eventNumber: host.events.count,
      targetCount: device.live?.table.entries.length ?? 0,
    };
  }

  /** The devices that a table uses, as tables name them. */
  deps(name: string, which: WhichTable = "live"): string[] {
    return (this.#tableOf(name, which)?.devices ?? []).map(deviceLabel);
  }

  /** The mapped devices, in order of their names. */
  list(): MappedDevice[] {
    return this.#devices.sorted().map(({ device }) => device);
  }

  get(name: string): MappedDevice {
    return this.#devices.get(name).device;
  }

  async #load(
    name: string,
    source: Parameters<TableLoader["build"]>[1],
    task: Task,
  ): Promise<void> {
    const named = this.#devices.get(name);
    await named.lifeCycle.load(await this.#tables.build(named, source, task), task);
  }

  #tableOf(name: string, which: WhichTable): LoadedTable | null {
    const { device, lifeCycle } = this.#devices.get(name);
    return which === "live" ? device.live : lifeCycle.inactive;
  }
}
