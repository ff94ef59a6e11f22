import { type BlockDevice, BlockError } from "@blkstack/block";
import type { DeviceMapper } from "@blkstack/device-mapper";
import type { NbdExport, NbdServer } from "@blkstack/nbd";
import type { Stack } from "@blkstack/stack";
import type { Task } from "@blkstack/task";

/** What people are told of an export. */
export interface ExportReport {
  readonly name: string;
  readonly device: string;
  readonly isReadOnly: boolean;
  readonly description: string;
  readonly clients: number;
}

/**
 * The exports of a server as they come and go. A mapped device is open as long as it is exported, so
 * that nobody removes it under its clients. Suspends need no more than that: bios that clients wait
 * for are drained or kept by the device itself, and this server keeps no changes back from it.
 */
export class LiveExports {
  readonly #server: NbdServer;
  readonly #stack: Stack;
  readonly #mapper: DeviceMapper;
  readonly #all = new Map<string, NbdExport>();

  /** `exports` are those that the server has already. */
  constructor(server: NbdServer, stack: Stack, exports: readonly NbdExport[]) {
    this.#server = server;
    this.#stack = stack;
    this.#mapper = stack.mapper;
    for (const entry of exports) this.#hold(entry);
  }

  list(): ExportReport[] {
    return [...this.#all.values()].map(({ name, device, isReadOnly, description = "" }) => ({
      name,
      device: device.name,
      isReadOnly: isReadOnly === true || device.isReadOnly,
      description,
      clients: this.#server.clientCount(name),
    }));
  }

  /** Throws ENODEV when there is no disk or device of that name, EINVAL for a name that is taken. */
  add(entry: Omit<NbdExport, "device"> & { readonly device: string }): void {
    const added = { ...entry, device: this.#find(entry.device) };
    this.#server.addExport(added);
    this.#hold(added);
  }

  /** Throws as the server does. Waits: until nothing of the export is in flight. */
  async remove(name: string, task: Task, force: boolean): Promise<void> {
    const entry = this.#all.get(name);
    await this.#server.removeExport(name, task, { force });
    this.#all.delete(name);
    if (entry !== undefined) await this.#release(entry, task);
  }

  /** The names of the exports of a mapped device. */
  of(deviceName: string): string[] {
    const ofDevice = [...this.#all.values()].filter(({ device }) => device.name === deviceName);
    return ofDevice.map(({ name }) => name);
  }

  /** Lets go of the devices. The server is closed. */
  async close(task: Task): Promise<void> {
    for (const entry of this.#all.values()) await this.#release(entry, task);
    this.#all.clear();
  }

  #find(name: string): BlockDevice {
    const mapped = this.#mapper.list().find((device) => device.name === name);
    const device = mapped ?? this.#stack.disks.get(name);
    if (device !== undefined) return device;
    throw new BlockError("BLK_DEVICE", "ENODEV", `there is no disk or device "${name}"`);
  }

  #hold(entry: NbdExport): void {
    if (this.#isMapped(entry.device)) this.#mapper.open(entry.device.name);
    this.#all.set(entry.name, entry);
  }

  async #release({ device }: NbdExport, task: Task): Promise<void> {
    if (this.#isMapped(device)) await this.#mapper.close(device.name, task);
  }

  #isMapped(device: BlockDevice): boolean {
    return this.#mapper.list().some((mapped) => mapped === device);
  }
}
