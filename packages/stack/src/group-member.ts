import type { BlockDevice, Submitter } from "@blkstack/block";
import type { CfqClient } from "@blkstack/cfq";
import type { Task } from "@blkstack/task";
import { ThrottledDevice, type ThrottlePort } from "@blkstack/throttle";

export interface GroupMemberParts {
  /** The disk or device that is used. */
  readonly device: BlockDevice;
  /** Null: it is in none, but may share the device with those who are. */
  readonly group: string | null;
  /** Its place in the queue of the device; null: it has none. */
  readonly client: CfqClient | null;
  /** Its way through the limits of the group; null: it is in none. */
  readonly port: ThrottlePort | null;
  readonly submitter: Submitter;
}

/**
 * One user of a device: bios wait for the limits of the group first, and then for its turn, so that
 * no turn is spent on bios that may not go.
 */
export class GroupMember {
  /** Where bios are to be sent to. */
  readonly device: BlockDevice;
  /** The disk or device itself. */
  readonly below: BlockDevice;
  readonly group: string | null;
  readonly #parts: GroupMemberParts;

  /** Not for users: `StackGroups.enter` makes them. */
  constructor(parts: GroupMemberParts) {
    const { device, group, client, port, submitter } = parts;
    this.#parts = parts;
    this.below = device;
    this.group = group;
    // Cut here, and not behind: then a turn can end between two pieces of a large bio.
    if (client !== null) submitter.addDevice?.(client);
    const shared = client ?? device;
    this.device =
      port === null || group === null
        ? shared
        : new ThrottledDevice(`${device.name} in ${group}`, shared, port, submitter);
  }

  /** Whether it goes through the queue of the device. */
  get isShared(): boolean {
    return this.#parts.client !== null;
  }

  /** For good. Waits: until what waits has gone on, and has ended if the device is shared. */
  async close(task: Task): Promise<void> {
    const { client, port, submitter } = this.#parts;
    await port?.close(task);
    await client?.close(task);
    for (const device of new Set([this.device, client])) {
      if (device !== null && device !== this.below) await submitter.removeDevice?.(device, task);
    }
  }
}
