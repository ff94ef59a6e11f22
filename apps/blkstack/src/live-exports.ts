import { type BlockDevice, BlockError } from "@blkstack/block";
import type { DeviceMapper } from "@blkstack/device-mapper";
import type { NbdExport, NbdServer } from "@blkstack/nbd";
import type { ExportHost, GroupMember, Stack } from "@blkstack/stack";
import type { Task } from "@blkstack/task";

/** What people are told of an export. */
export interface ExportReport {
  readonly name: string;
  readonly device: string;
  /** Absent: it is in none. */
  readonly group?: string;
  readonly isReadOnly: boolean;
  readonly description: string;
  readonly clients: number;
  /** Whether clients are told to keep to the blocks of the device. */
  readonly wholeBlocks: boolean;
}

/** An export, and how it uses its disk or device. */
export interface LiveExport extends NbdExport {
  readonly member: GroupMember;
}

/** What people ask for. */
export type WantedExport = Omit<NbdExport, "device"> & {
  /** The name of a disk or device. */
  readonly device: string;
  /** Null: in none. */
  readonly group: string | null;
};

/**
 * The exports of a server as they come and go. A mapped device is open as long as it is exported, so
 * that nobody removes it under its clients. Suspends need no more than that: bios that clients wait
 * for are drained or kept by the device itself, and this server keeps no changes back from it.
 */
export class LiveExports {
  readonly #server: NbdServer;
  readonly #stack: Stack;
  readonly #mapper: DeviceMapper;
  readonly #all = new Map<string, LiveExport>();

  /** `exports` are those that the server has already. */
  constructor(server: NbdServer, stack: Stack, exports: readonly LiveExport[]) {
    this.#server = server;
    this.#stack = stack;
    this.#mapper = stack.mapper;
    for (const entry of exports) this.#hold(entry);
  }

  list(): ExportReport[] {
    return [...this.#all.values()].map(({ name, member, isReadOnly, ...rest }) => ({
      name,
      device: member.below.name,
      ...(member.group !== null && { group: member.group }),
      isReadOnly: isReadOnly === true || member.below.isReadOnly,
      description: rest.description ?? "",
      clients: this.#server.clientCount(name),
      wholeBlocks: rest.keepsBlockSize === true,
    }));
  }

  /**
   * Throws ENODEV when there is no disk or device of that name, ENOENT for a group that is not there,
   * EINVAL for a name that is taken. Waits: for memory.
   */
  async add({ group, ...entry }: WantedExport, task: Task): Promise<void> {
    const { groups } = this.#stack;
    const member = await groups.enter(this.#find(entry.device), group, task);
    const added = { ...entry, device: member.device, member };
    try {
      this.#server.addExport(added);
    } catch (error) {
      await groups.leave(member, task);
      throw error;
    }
    this.#hold(added);
  }

  /** For a stack that is reloaded. */
  host(): ExportHost {
    return {
      clientCount: (name) => this.#server.clientCount(name),
      exportsOf: (device) => this.of(device),
      add: (offered) => {
        this.#server.addExport(offered);
        this.#hold(offered);
      },
      remove: async (name, task) => {
        if (this.#all.has(name)) await this.remove(name, task, false);
      },
    };
  }

  /** Throws as the server does. Waits: until nothing of the export is in flight. */
  async remove(name: string, task: Task, force: boolean): Promise<void> {
    const entry = this.#all.get(name);
    await this.#server.removeExport(name, task, { force });
    this.#all.delete(name);
    if (entry === undefined) return;
    await this.#stack.groups.leave(entry.member, task);
    await this.#release(entry, task);
  }

  /** The names of the exports of a mapped device. */
  of(deviceName: string): string[] {
    const ofDevice = [...this.#all.values()].filter(
      ({ member }) => member.below.name === deviceName,
    );
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

  #hold(entry: LiveExport): void {
    const { below } = entry.member;
    if (this.#isMapped(below)) this.#mapper.open(below.name);
    this.#all.set(entry.name, entry);
  }

  async #release({ member: { below } }: LiveExport, task: Task): Promise<void> {
    if (this.#isMapped(below)) await this.#mapper.close(below.name, task);
  }

  #isMapped(device: BlockDevice): boolean {
    return this.#mapper.list().some((mapped) => mapped === device);
  }
}
