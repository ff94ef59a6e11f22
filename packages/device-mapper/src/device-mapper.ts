import { type BlockDevice, BlockError, type Submitter } from "@blkstack/block";
import type { Memory } from "@blkstack/memory";
import type { Scheduler, Task } from "@blkstack/task";
import { deviceLabel } from "./device-label.ts";
import { checkDeviceName, DeviceNames, type NamedDevice } from "./device-names.ts";
import { HostOfTargets } from "./host-of-targets.ts";
import { LifeCycle, type SuspendOptions } from "./life-cycle.ts";
import type { LoadedTable } from "./loaded-table.ts";
import { MappedDevice, type PreflushError } from "./mapped-device.ts";
import type { Offload } from "./offload.ts";
import type { TargetRegistry } from "./registry.ts";
import { frontClone, type SplitPolicy } from "./split-policy.ts";
import { Services } from "./services.ts";
import { buildTable } from "./table.ts";
import { parseTable } from "./table-text.ts";

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
  /** The minor number; the lowest free one unless told. */
  readonly minor?: number;
}

export interface LoadOptions {
  readonly isReadOnly?: boolean;
}

export interface RemoveOptions {
  /** An open device goes when it is closed for the last time. */
  readonly deferred?: boolean;
}

/** What `dmsetup info` tells. */
export interface DeviceInfo {
  readonly name: string;
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
  readonly #services: Services;

  constructor(options: DeviceMapperOptions) {
    const { scheduler, memory, services = [] } = options;
    this.#options = options;
    this.#services = new Services(scheduler, [memory, ...services]);
  }

  /** Makes a device; one whose table is refused is not there afterwards. EBUSY: the name is taken. */
  async create(name: string, task: Task, options: CreateOptions = {}): Promise<MappedDevice> {
    checkDeviceName(name);
    const minor = this.#devices.claim(name, options.minor);
    const { splitPolicy = frontClone, offload = null, preflushError = "propagate" } = this.#options;
    const device = new MappedDevice({
      ...this.#options,
      name,
      minor,
      splitPolicy,
      offload,
      preflushError,
      poolSize: this.#options.poolSize ?? POOL_SIZE_DEFAULT,
      splitPoolSize: this.#options.splitPoolSize ?? SPLIT_POOL_SIZE_DEFAULT,
    });
    const lifeCycle = new LifeCycle(device, (loaded, by) => this.#unload(loaded, by));
    const host = new HostOfTargets(lifeCycle, this.#options.onLog ?? (() => undefined));
    this.#devices.add({ device, lifeCycle, host, openCount: 0, isRemovedAtClose: false });
    const { table } = options;
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
    const named = this.#devices.get(name);
    const loaded = await this.#build(named, text, task, options.isReadOnly ?? false);
    await named.lifeCycle.load(loaded, task);
  }

  /** Drops the table that was loaded and is not live. */
  async clear(name: string, task: Task): Promise<void> {
    await this.#devices.get(name).lifeCycle.clear(task);
  }

  /** Stops bios. Waits: until those in flight have ended, or come back. Twice is once. */
  async suspend(name: string, task: Task, options: SuspendOptions = {}): Promise<void> {
    await this.#devices.get(name).lifeCycle.suspend(task, options);
  }

  /** Goes live with the table that was loaded, if any, and lets bios flow. EINVAL: no table. */
  async resume(name: string, task: Task): Promise<void> {
    await this.#devices.get(name).lifeCycle.resume(task);
  }

  /** Removes a device. Bios that wait for a resume end with an I/O error. EBUSY: it is open. */
  async remove(name: string, task: Task, options: RemoveOptions = {}): Promise<void> {
    const named = this.#devices.get(name);
    if (named.openCount === 0) {
      this.#devices.delete(named);
      await named.lifeCycle.destroy(task);
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
    await this.#close(this.#devices.get(name), task);
  }

  /** Hands the target at `sector` of the live table a message; answers what it answers. */
  async message(
    name: string,
    sector: number,
    words: readonly string[],
    task: Task,
  ): Promise<string> {
    const { device } = this.#devices.get(name);
    const target = device.live?.table.find(sector)?.target;
    if (target?.message === undefined || words.length === 0) {
      const place = `sector ${String(sector)} of "${name}"`;
      throw new BlockError("BLK_STATE", "EINVAL", `nobody at ${place} takes that message`);
    }
    return target.message(words, task);
  }

  /**
   * Answers how many events the device has had. Waits: until that is another number than
   * `eventNumber`, which `info` told.
   */
  async wait(name: string, eventNumber: number, task: Task): Promise<number> {
    return this.#devices.get(name).host.events.wait(eventNumber, task);
  }

  /** How the targets of the live table are doing, one line each. */
  status(name: string): string[] {
    return this.#devices.get(name).device.live?.table.status("info") ?? [];
  }

  /** The live table as text, or the one that waits for a resume. */
  table(name: string, which: "live" | "inactive" = "live"): string[] {
    const { device, lifeCycle } = this.#devices.get(name);
    const loaded = which === "live" ? device.live : lifeCycle.inactive;
    return loaded?.table.status("table") ?? [];
  }

  info(name: string): DeviceInfo {
    const { device, lifeCycle, host, openCount, isRemovedAtClose } = this.#devices.get(name);
    return {
      name,
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

  /** The devices that the live table uses, as tables name them. */
  deps(name: string): string[] {
    return (this.#devices.get(name).device.live?.devices ?? []).map(deviceLabel);
  }

  /** The mapped devices, in order of their names. */
  list(): MappedDevice[] {
    return this.#devices.sorted().map(({ device }) => device);
  }

  get(name: string): MappedDevice {
    return this.#devices.get(name).device;
  }

  async #build(
    named: NamedDevice,
    text: string,
    task: Task,
    isReadOnly: boolean,
  ): Promise<LoadedTable> {
    const { registry, scheduler, submitter } = this.#options;
    const opened = new Set<BlockDevice>();
    const surroundings = {
      deviceName: named.device.name,
      deviceNumber: named.device.deviceNumber,
      isReadOnly,
      scheduler,
      submitter,
      host: named.host,
      services: this.#services,
      openDevice: (name: string) => this.#open(name, named, opened),
    };
    try {
      const table = await buildTable(parseTable(text), registry, surroundings, task);
      return { table, isReadOnly, devices: [...opened], limits: null };
    } catch (error) {
      await this.#closeAll(opened, task);
      throw error;
    }
  }

  #open(name: string, by: NamedDevice, opened: Set<BlockDevice>): BlockDevice {
    const named = this.#devices.find(name);
    const device = named?.device ?? this.#options.lookup(name);
    if (this.#reaches(device, by.device)) {
      const message = `"${by.device.name}" would stand on itself`;
      throw new BlockError("BLK_DEVICE", "EINVAL", message);
    }
    if (!opened.has(device)) {
      opened.add(device);
      if (named !== null) named.openCount += 1;
    }
    return device;
  }

  /** Whether bios to `device` can come to `searched`, now or after a resume. */
  #reaches(device: BlockDevice, searched: BlockDevice): boolean {
    if (device === searched) return true;
    const named = this.#devices.of(device);
    if (named === null) return false;
    const { live } = named.device;
    const { inactive } = named.lifeCycle;
    const below = [...(live?.devices ?? []), ...(inactive?.devices ?? [])];
    return below.some((lower) => this.#reaches(lower, searched));
  }

  async #unload({ table, devices }: LoadedTable, task: Task): Promise<void> {
    await table.destroy(task);
    await this.#closeAll(devices, task);
  }

  async #closeAll(devices: Iterable<BlockDevice>, task: Task): Promise<void> {
    for (const device of devices) {
      const named = this.#devices.of(device);
      if (named !== null) await this.#close(named, task);
    }
  }

  async #close(named: NamedDevice, task: Task): Promise<void> {
    named.openCount -= 1;
    if (named.openCount > 0 || !named.isRemovedAtClose) return;
    this.#devices.delete(named);
    await named.lifeCycle.destroy(task);
  }
}
