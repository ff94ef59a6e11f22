import { type BlockDevice, BlockError, type Submitter, type TargetType } from "@blkstack/block";
import { DeviceMapper, parseTable, TargetRegistry } from "@blkstack/device-mapper";
import type { Memory } from "@blkstack/memory";
import type { Scheduler } from "@blkstack/task";
import { Throttle, ThrottledDevice } from "@blkstack/throttle";
import type { StackDescription } from "./description.ts";
import { orderDevices } from "./device-order.ts";
import { type DiskKinds, openDisk } from "./disk-kinds.ts";
import { openExport, type Within } from "./open-export.ts";
import { suggestion } from "./nearest.ts";
import { removeDevices } from "./remove-devices.ts";
import { runInTask } from "./run-in-task.ts";
import { Stack, type StackExport } from "./stack.ts";
import { errorAt, errorAtName } from "./stack-source.ts";
import { complaintOf, tableArguments, TYPE_WORD } from "./table-text.ts";
import { UndoList } from "./undo-list.ts";

export interface OpenStackOptions {
  readonly scheduler: Scheduler;
  /** What the devices submit to each other through. */
  readonly submitter: Submitter;
  readonly memory: Memory;
  readonly diskKinds: DiskKinds;
  /** The kinds of targets that tables may name. */
  readonly targets: Iterable<TargetType>;
  /** Paths of disks are relative to this folder: the one of the stack file. */
  readonly baseDirectory: string;
  /** Told what targets have to say to people, line by line: `snap: Invalidating snapshot: …`. */
  readonly onLog?: (line: string) => void;
}

/**
 * Opens the disks, then makes the devices, each after those that it stands on.
 *
 * Throws a StackError with the place of what is to blame; then nothing is left behind, nor any
 * file that was created. Waits: as the openers of the disks and the makers of the targets do.
 */
export async function openStack(
  description: StackDescription,
  options: OpenStackOptions,
): Promise<Stack> {
  const opening = new Opening(description, options);
  try {
    return await opening.open();
  } catch (error) {
    await opening.undo();
    throw error;
  }
}

class Opening {
  readonly #description: StackDescription;
  readonly #options: OpenStackOptions;
  readonly #registry: TargetRegistry;
  readonly #mapper: DeviceMapper;
  readonly #throttle: Throttle;
  readonly #disks: Map<string, BlockDevice> = new Map<string, BlockDevice>();
  readonly #devices: Map<string, BlockDevice> = new Map<string, BlockDevice>();
  readonly #closing: UndoList = new UndoList();
  readonly #creations: UndoList = new UndoList();

  constructor(description: StackDescription, options: OpenStackOptions) {
    const { scheduler, submitter, memory, onLog } = options;
    this.#description = description;
    this.#options = options;
    this.#registry = new TargetRegistry(options.targets);
    this.#throttle = new Throttle({ scheduler, submitter, memory, fairness: "ports" });
    this.#mapper = new DeviceMapper({
      scheduler,
      submitter,
      memory,
      services: [this.#throttle],
      registry: this.#registry,
      lookup: (name) => this.#lookUp(name),
      ...(onLog && { onLog }),
    });
  }

  async open(): Promise<Stack> {
    const description = this.#description;
    const { scheduler } = this.#options;
    this.#closing.add(() =>
      runInTask(scheduler, "end groups", (task) => this.#throttle.stop(task)),
    );
    for (const [name, { burstMs = 0, ...limits }] of description.groups) {
      this.#throttle.addGroup(name, { limits, burstMs });
    }
    for (const name of description.disks.keys()) await this.#openDisk(name);
    this.#closing.add(() => removeDevices(this.#mapper, scheduler));
    for (const name of orderDevices(description.devices, description.source)) {
      await this.#createDevice(name);
    }
    const exports = new Map<string, StackExport>();
    const within: Within = (device, group) => this.#putWithin(device, group);
    for (const name of description.exports.keys()) {
      exports.set(name, openExport(name, description, this.#devices, within));
    }
    const parts = {
      description,
      disks: this.#disks,
      devices: this.#devices,
      exports,
      mapper: this.#mapper,
    };
    return new Stack(parts, { scheduler, closing: this.#closing, creations: this.#creations });
  }

  /** What waits for the group goes on when the stack is closed, before the device below goes. */
  #putWithin(device: BlockDevice, group: string): BlockDevice {
    const { scheduler, submitter } = this.#options;
    const port = this.#throttle.openPort(group);
    this.#closing.add(() => runInTask(scheduler, `leave ${group}`, (task) => port.close(task)));
    return new ThrottledDevice(`${device.name} in ${group}`, device, port, submitter);
  }

  /** What stands in the way of undoing matters less than why it is undone. */
  async undo(): Promise<void> {
    await this.#closing.undo().catch(() => undefined);
    await this.#creations.undo().catch(() => undefined);
  }

  async #openDisk(name: string): Promise<void> {
    const { disks, source } = this.#description;
    const { scheduler, submitter, baseDirectory, diskKinds } = this.#options;
    const disk = disks.get(name);
    if (disk === undefined) return;
    try {
      const opened = await openDisk(diskKinds, { name, disk, baseDirectory, scheduler });
      if (opened === undefined) {
        const message = `disk ${JSON.stringify(name)}: there are no ${disk.kind} disks here`;
        throw errorAtName(source, ["disks", name, disk.kind], message);
      }
      const { device } = opened;
      this.#closing.add(() => opened.close?.());
      this.#creations.add(() => opened.removeCreated?.());
      submitter.addDevice?.(device);
      this.#closing.add(() =>
        runInTask(scheduler, `remove ${name}`, (task) => submitter.removeDevice?.(device, task)),
      );
      this.#disks.set(name, device);
      this.#devices.set(name, device);
    } catch (error) {
      throw complaintOf(error, source, ["disks", name]);
    }
  }

  async #createDevice(name: string): Promise<void> {
    const { devices, source } = this.#description;
    const table = devices.get(name) ?? "";
    this.#checkTypes(name, table);
    const { scheduler } = this.#options;
    try {
      const isReadOnly = tableArguments(table).some((word) => this.#devices.get(word)?.isReadOnly);
      const device = await runInTask(scheduler, `create ${name}`, (task) =>
        this.#mapper.create(name, task, { table, isReadOnly }),
      );
      this.#devices.set(name, device);
    } catch (error) {
      throw complaintOf(error, source, ["devices", name]);
    }
  }

  /** Mapped devices the mapper finds by itself. */
  #lookUp(name: string): BlockDevice {
    const disk = this.#disks.get(name);
    if (disk !== undefined) return disk;
    const known = [...this.#disks.keys(), ...this.#mapper.list().map((device) => device.name)];
    const hint = suggestion(name, known) || "; it should be one of disks or devices";
    const message = `there is no ${JSON.stringify(name)}${hint}`;
    throw new BlockError("BLK_DEVICE", "ENODEV", message);
  }

  #checkTypes(name: string, table: string): void {
    for (const { type, lineNumber } of parseTable(table)) {
      if (this.#registry.get(type) !== undefined) continue;
      const known = [...this.#options.targets].map((target) => target.name);
      const hint = suggestion(type, known) || `; known are ${known.join(", ")}`;
      const message = `device ${JSON.stringify(name)}: unknown target ${JSON.stringify(type)}${hint}`;
      const path = ["devices", name, lineNumber - 1, TYPE_WORD];
      throw errorAt(this.#description.source, path, message);
    }
  }
}
