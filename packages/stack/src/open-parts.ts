import { type BlockDevice, BlockError, type Submitter, type TargetType } from "@blkstack/block";
import { DeviceMapper, parseTable, TargetRegistry } from "@blkstack/device-mapper";
import type { Memory } from "@blkstack/memory";
import type { Awaitable, Scheduler, Task } from "@blkstack/task";
import type { StackDescription } from "./description.ts";
import { type DiskKinds, openDisk, type OpenDisk } from "./disk-kinds.ts";
import { openExport } from "./open-export.ts";
import { suggestion } from "./nearest.ts";
import { removeDevices, resumeDevices } from "./remove-devices.ts";
import { runInTask } from "./run-in-task.ts";
import type { StackExport } from "./stack.ts";
import { StackGroups } from "./stack-groups.ts";
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
 * What a stack is made of while it is open, part by part. Whatever goes wrong with a part is thrown
 * as a StackError with the place of what is to blame, in the description that asked for it.
 */
export class OpenParts {
  readonly mapper: DeviceMapper;
  readonly groups: StackGroups;
  readonly disks: Map<string, BlockDevice> = new Map<string, BlockDevice>();
  readonly #options: OpenStackOptions;
  readonly #registry: TargetRegistry;
  readonly #opened = new Map<string, OpenDisk>();
  /** Closed, and it may yet have to be as if they had never been opened. */
  readonly #closed: OpenDisk[] = [];
  #isStopped = false;

  constructor(options: OpenStackOptions) {
    const { scheduler, submitter, memory, onLog } = options;
    this.#options = options;
    this.#registry = new TargetRegistry(options.targets);
    this.groups = new StackGroups({ scheduler, submitter, memory });
    this.mapper = new DeviceMapper({
      scheduler,
      submitter,
      memory,
      services: [this.groups.throttle],
      registry: this.#registry,
      lookup: (name) => this.#lookUp(name),
      ...(onLog && { onLog }),
    });
  }

  run<T>(what: string, body: (task: Task) => Awaitable<T>): Promise<T> {
    return runInTask(this.#options.scheduler, what, body);
  }

  async openDisk(name: string, { disks, source }: StackDescription): Promise<void> {
    const { scheduler, submitter, baseDirectory, diskKinds } = this.#options;
    const disk = disks.get(name);
    if (disk === undefined) return;
    try {
      const opened = await openDisk(diskKinds, { name, disk, baseDirectory, scheduler });
      if (opened === undefined) {
        const message = `disk ${JSON.stringify(name)}: there are no ${disk.kind} disks here`;
        throw errorAtName(source, ["disks", name, disk.kind], message);
      }
      this.#opened.set(name, opened);
      submitter.addDevice?.(opened.device);
      this.disks.set(name, opened.device);
    } catch (error) {
      throw complaintOf(error, source, ["disks", name]);
    }
  }

  /** Makes a disk as long as it is described by now. Waits: as the disk does. */
  async growDisk(name: string, { disks, source }: StackDescription): Promise<void> {
    const disk = disks.get(name);
    const opened = this.#opened.get(name);
    if (disk?.sizeBytes === undefined || opened === undefined) return;
    try {
      if (opened.grow === undefined) {
        const message = `disk ${JSON.stringify(name)} cannot become longer while it is open`;
        throw errorAtName(source, ["disks", name], message);
      }
      await opened.grow(disk.sizeBytes);
    } catch (error) {
      throw complaintOf(error, source, ["disks", name]);
    }
  }

  /** Waits: until what was written is durable. `removeCreated`: and the file that was made is gone. */
  async closeDisk(name: string, removeCreated = false): Promise<void> {
    const opened = this.#opened.get(name);
    if (opened === undefined) return;
    const { submitter } = this.#options;
    this.#opened.delete(name);
    this.disks.delete(name);
    await this.run(`remove ${name}`, (task) => submitter.removeDevice?.(opened.device, task));
    await opened.close?.();
    if (removeCreated) await opened.removeCreated?.();
  }

  async createDevice(name: string, description: StackDescription): Promise<void> {
    const { table, isReadOnly } = this.#tableOf(name, description);
    await this.#forDevice(name, description, (task) =>
      this.mapper.create(name, task, { table, isReadOnly }),
    );
  }

  /** Makes the table ready to be resumed with. */
  async loadDevice(name: string, description: StackDescription): Promise<void> {
    const { table, isReadOnly } = this.#tableOf(name, description);
    await this.#forDevice(name, description, (task) =>
      this.mapper.load(name, table, task, { isReadOnly }),
    );
  }

  async resumeDevice(name: string, description: StackDescription): Promise<void> {
    await this.#forDevice(name, description, (task) => this.mapper.resume(name, task));
  }

  /** A device or disk by its name; undefined when there is none. */
  find(name: string): BlockDevice | undefined {
    return this.disks.get(name) ?? this.mapper.list().find((device) => device.name === name);
  }

  /** An export to be offered, within the limits and the share of its group. Waits: for memory. */
  async openExport(name: string, description: StackDescription): Promise<StackExport> {
    const ground = { find: (device: string) => this.find(device), groups: this.groups };
    try {
      return await this.run(`open export ${name}`, (task) =>
        openExport(name, description, ground, task),
      );
    } catch (error) {
      throw complaintOf(error, description.source, ["exports", name]);
    }
  }

  /** The export is not offered any more. Waits: until what its group held back has gone on. */
  async closeExport({ name, member }: StackExport): Promise<void> {
    await this.run(`leave the group of ${name}`, (task) => this.groups.leave(member, task));
  }

  /** Ends all. Throws the first error, after everything was tried. May be called again. */
  async close(): Promise<void> {
    const undo = new UndoList();
    if (!this.#isStopped) {
      undo.add(() => this.run("end groups", (task) => this.groups.throttle.stop(task)));
    }
    this.#isStopped = true;
    for (const name of this.#opened.keys()) undo.add(() => this.#closeKeeping(name));
    undo.add(() => removeDevices(this.mapper, this.#options.scheduler));
    undo.add(() => this.run("leave groups", (task) => this.groups.leaveAll(task)));
    // Bios on the way through a group end in the device, which may be suspended.
    undo.add(() => this.run("resume devices", (task) => resumeDevices(this.mapper, task)));
    await undo.undo();
  }

  /** Removes the files that were made. All is closed. */
  async removeCreations(): Promise<void> {
    const undo = new UndoList();
    for (const opened of this.#closed) undo.add(() => opened.removeCreated?.());
    this.#closed.length = 0;
    await undo.undo();
  }

  async #closeKeeping(name: string): Promise<void> {
    const opened = this.#opened.get(name);
    if (opened !== undefined) this.#closed.push(opened);
    await this.closeDisk(name);
  }

  #tableOf(name: string, { devices, source }: StackDescription): DeviceTable {
    const table = devices.get(name) ?? "";
    for (const { type, lineNumber } of parseTable(table)) {
      if (this.#registry.get(type) !== undefined) continue;
      const known = [...this.#options.targets].map((target) => target.name);
      const hint = suggestion(type, known) || `; known are ${known.join(", ")}`;
      const message = `device ${JSON.stringify(name)}: unknown target ${JSON.stringify(type)}${hint}`;
      throw errorAt(source, ["devices", name, lineNumber - 1, TYPE_WORD], message);
    }
    const isReadOnly = tableArguments(table).some((word) => this.find(word)?.isReadOnly);
    return { table, isReadOnly };
  }

  async #forDevice(
    name: string,
    { source }: StackDescription,
    command: (task: Task) => Promise<unknown>,
  ): Promise<void> {
    try {
      await this.run(`set up ${name}`, command);
    } catch (error) {
      throw complaintOf(error, source, ["devices", name]);
    }
  }

  /** Mapped devices the mapper finds by itself. */
  #lookUp(name: string): BlockDevice {
    const disk = this.disks.get(name);
    if (disk !== undefined) return disk;
    const known = [...this.disks.keys(), ...this.mapper.list().map((device) => device.name)];
    const hint = suggestion(name, known) || "; it should be one of disks or devices";
    const message = `there is no ${JSON.stringify(name)}${hint}`;
    throw new BlockError("BLK_DEVICE", "ENODEV", message);
  }
}

interface DeviceTable {
  readonly table: string;
  readonly isReadOnly: boolean;
}
