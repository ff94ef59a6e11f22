import { type BlockDevice, BlockError, type Submitter } from "@blkstack/block";
import type { Scheduler, Task } from "@blkstack/task";
import type { DeviceNames, NamedDevice } from "./device-names.ts";
import type { FlushPolicy } from "./flush-policy.ts";
import type { LoadedTable } from "./loaded-table.ts";
import type { TargetRegistry } from "./registry.ts";
import type { Services } from "./services.ts";
import { buildTable } from "./table.ts";
import { parseTable } from "./table-text.ts";

export interface TableLoaderOptions {
  readonly devices: DeviceNames;
  readonly scheduler: Scheduler;
  readonly submitter: Submitter;
  readonly services: Services;
  readonly flushes: FlushPolicy;
  /** Finds a device that is no mapped device; throws a BlockError when there is none. */
  readonly lookup: (name: string) => BlockDevice;
}

/** Makes tables of text, and opens and closes what stands below them. */
export class TableLoader {
  readonly #options: TableLoaderOptions;

  constructor(options: TableLoaderOptions) {
    this.#options = options;
  }

  /** Throws a `TableError`; nothing stays open then. Waits: as the makers of the targets do. */
  async build(
    named: NamedDevice,
    source: { text: string; registry: TargetRegistry; isReadOnly: boolean },
    task: Task,
  ): Promise<LoadedTable> {
    const { scheduler, submitter, services, flushes } = this.#options;
    const { text, registry, isReadOnly } = source;
    const opened = new Set<BlockDevice>();
    const surroundings = {
      deviceName: named.device.name,
      deviceNumber: named.device.deviceNumber,
      isReadOnly,
      scheduler,
      submitter,
      host: named.host,
      services,
      flushes,
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

  /** The end of a table that nobody uses any more. */
  async unload({ table, devices }: LoadedTable, task: Task): Promise<void> {
    await table.destroy(task);
    await this.#closeAll(devices, task);
  }

  /** Gives one opening back; the last one removes a device whose removal waits for that. */
  async close(named: NamedDevice, task: Task): Promise<void> {
    named.openCount -= 1;
    if (named.openCount === 0 && named.isRemovedAtClose) await this.remove(named, task);
  }

  /** Nobody may have it open. Those who wait for an event of it are woken: there will be no other. */
  async remove(named: NamedDevice, task: Task): Promise<void> {
    this.#options.devices.delete(named);
    await named.lifeCycle.destroy(task);
    await this.#options.submitter.removeDevice?.(named.device, task);
    named.host.raiseEvent();
  }

  #open(name: string, by: NamedDevice, opened: Set<BlockDevice>): BlockDevice {
    const named = this.#options.devices.find(name);
    const device = named?.device ?? this.#options.lookup(name);
    if (this.#reaches(device, by.device)) {
      const message = `"${by.device.name}" would stand on itself`;
      throw new BlockError("BLK_DEVICE", "EINVAL", message);
    }
    if (!opened.has(device)) {
      // Whoever made it may not have told, and bios must get through when memory is short.
      this.#options.submitter.addDevice?.(device);
      opened.add(device);
      if (named !== null) named.openCount += 1;
    }
    return device;
  }

  /** Whether bios to `device` can come to `searched`, now or after a resume. */
  #reaches(device: BlockDevice, searched: BlockDevice): boolean {
    if (device === searched) return true;
    const named = this.#options.devices.of(device);
    if (named === null) return false;
    const tables = [named.device.live, named.lifeCycle.inactive];
    return tables.some((loaded) => loaded?.devices.some((lower) => this.#reaches(lower, searched)));
  }

  async #closeAll(devices: Iterable<BlockDevice>, task: Task): Promise<void> {
    for (const device of devices) {
      const named = this.#options.devices.of(device);
      if (named !== null) await this.close(named, task);
    }
  }
}
