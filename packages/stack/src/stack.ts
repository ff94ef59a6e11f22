import type { BlockDevice } from "@blkstack/block";
import type { DeviceMapper } from "@blkstack/device-mapper";
import type { StackDescription } from "./description.ts";
import { orderDevices } from "./device-order.ts";
import type { GroupMember } from "./group-member.ts";
import type { OpenParts } from "./open-parts.ts";
import type { ReloadStep } from "./reload-plan.ts";
import { type ExportHost, reloadStack } from "./reload-stack.ts";
import { resumeDevices } from "./remove-devices.ts";
import type { StackGroups } from "./stack-groups.ts";

/** A device as clients are offered it. */
export interface StackExport {
  readonly name: string;
  /** Where bios are to be sent to: the disk or device, or what stands before it for its group. */
  readonly device: BlockDevice;
  /** How it uses its disk or device. Whoever ends the export before the stack ends leaves that. */
  readonly member: GroupMember;
  readonly isReadOnly: boolean;
  readonly description?: string;
  /** What a client gets that names no export. */
  readonly isDefault: boolean;
  /** Clients are told to keep to the blocks of the device; absent: any range will do. */
  readonly keepsBlockSize?: boolean;
}

/** An open stack: devices that take bios. */
export class Stack {
  #description: StackDescription;
  readonly #parts: OpenParts;
  readonly #exports: Map<string, StackExport>;

  /** Not for users: `openStack` makes stacks. */
  constructor(description: StackDescription, parts: OpenParts, exports: Map<string, StackExport>) {
    this.#description = description;
    this.#parts = parts;
    this.#exports = exports;
  }

  /** What the stack was made from, or reloaded with last. */
  get description(): StackDescription {
    return this.#description;
  }

  get disks(): ReadonlyMap<string, BlockDevice> {
    return this.#parts.disks;
  }

  /** Disks and devices of the file by name. */
  get devices(): ReadonlyMap<string, BlockDevice> {
    const { disks, devices, source } = this.#description;
    const found = new Map<string, BlockDevice>();
    for (const name of [...disks.keys(), ...orderDevices(devices, source)]) {
      const device = this.#parts.find(name);
      if (device !== undefined) found.set(name, device);
    }
    return found;
  }

  get exports(): ReadonlyMap<string, StackExport> {
    return this.#exports;
  }

  /**
   * The devices as they are now. Whoever makes, changes or removes some does it here: tables name the
   * disks of the stack, and other devices.
   */
  get mapper(): DeviceMapper {
    return this.#parts.mapper;
  }

  /** The groups, with their limits and shares, and what they have done. */
  get groups(): StackGroups {
    return this.#parts.groups;
  }

  /**
   * Lets all suspended devices go on, with the tables that they had, so that what waits in them ends.
   * Throws the first error of those that cannot; they fail everything from then on.
   */
  async resumeAll(): Promise<void> {
    await this.#parts.run("resume all", (task) => resumeDevices(this.mapper, task));
  }

  /**
   * Makes of this stack what another description says, while clients use it, and answers what was
   * done. All or nothing: a StackError names the part that cannot be, and its place in `to`. A part
   * that is described as before is left as it is, even if it was changed since by other means. Not
   * while another reload is under way.
   *
   * Waits: until it is done; bios to devices that are changed wait meanwhile.
   */
  async reload(to: StackDescription, host: ExportHost): Promise<ReloadStep[]> {
    const from = this.#description;
    const parts = this.#parts;
    const done = await reloadStack({ from, to, parts, host, exports: this.#exports });
    this.#description = to;
    return done;
  }

  /**
   * Removes the devices that there are now, each before those that it stands on, and closes the disks.
   * May be called again.
   *
   * Waits: until what was submitted has ended and is durable. Throws the first error, after
   * everything was closed; EBUSY for a device that somebody else has open.
   */
  async close(): Promise<void> {
    await this.#parts.close();
  }

  /** As `close`, and removes the files that opening the stack created. */
  async discard(): Promise<void> {
    try {
      await this.close();
    } finally {
      await this.#parts.removeCreations();
    }
  }
}
