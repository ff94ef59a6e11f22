import { type BlockDevice, BlockError, type Submitter, type TargetType } from "@blkstack/block";
import { DeviceMapper, parseTable, TargetRegistry } from "@blkstack/device-mapper";
import type { Memory } from "@blkstack/memory";
import type { Awaitable, Scheduler, Task } from "@blkstack/task";
import { NO_LIMITS, Throttle, ThrottledDevice, type ThrottlePort } from "@blkstack/throttle";
import type { GroupDescription, StackDescription } from "./description.ts";
import { type DiskKinds, openDisk, type OpenDisk } from "./disk-kinds.ts";
import { openExport } from "./open-export.ts";
import { suggestion } from "./nearest.ts";
import { removeDevices } from "./remove-devices.ts";
import { runInTask } from "./run-in-task.ts";
import type { StackExport } from "./stack.ts";
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
  readonly throttle: Throttle;
  readonly disks: Map<string, BlockDevice> = new Map<string, BlockDevice>();
  readonly #options: OpenStackOptions;
  readonly #registry: TargetRegistry;
  readonly #opened = new Map<string, OpenDisk>();
  /** By the export whose door to its group it is. */
  readonly #doors = new Map<string, Door>();
  /** Closed, and it may yet have to be as if they had never been opened. */
  readonly #closed: OpenDisk[] = [];
  #isStopped = false;

  constructor(options: OpenStackOptions) {
    const { scheduler, submitter, memory, onLog } = options;
    this.#options = options;
    this.#registry = new TargetRegistry(options.targets);
    this.throttle = new Throttle({ scheduler, submitter, memory, fairness: "ports" });
    this.mapper = new DeviceMapper({
      scheduler,
      submitter,
      memory,
      services: [this.throttle],
      registry: this.#registry,
      lookup: (name) => this.#lookUp(name),
      ...(onLog && { onLog }),
    });
  }

  run<T>(what: string, body: (task: Task) => Awaitable<T>): Promise<T> {
    return runInTask(this.#options.scheduler, what, body);
  }

  addGroup(name: string, { burstMs = 0, ...limits }: GroupDescription = {}): void {
    this.throttle.addGroup(name, { limits, burstMs });
  }

  /** What is not said is not limited. */
  limitGroup(name: string, { burstMs = 0, ...limits }: GroupDescription = {}): void {
    this.throttle.setLimits(name, { ...NO_LIMITS, ...limits }, burstMs);
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

  /** An export to be offered, behind the door of its group if it has one. */
  openExport(name: string, description: StackDescription): StackExport {
    return openExport(name, description, {
      find: (device) => this.find(device),
      within: (device, group) => this.#openDoor(name, device, group),
    });
  }

  /** The export is not offered any more. Waits: until what its group held back has gone on. */
  async closeExport(name: string): Promise<void> {
    const door = this.#doors.get(name);
    if (door === undefined) return;
    this.#doors.delete(name);
    await this.run(`leave the group of ${name}`, async (task) => {
      await door.port.close(task);
      await this.#options.submitter.removeDevice?.(door.device, task);
    });
  }

  /** Ends all. Throws the first error, after everything was tried. May be called again. */
  async close(): Promise<void> {
    const undo = new UndoList();
    if (!this.#isStopped) {
      undo.add(() => this.run("end groups", (task) => this.throttle.stop(task)));
    }
    this.#isStopped = true;
    for (const name of this.#opened.keys()) undo.add(() => this.#closeKeeping(name));
    undo.add(() => removeDevices(this.mapper, this.#options.scheduler));
    for (const name of this.#doors.keys()) undo.add(() => this.closeExport(name));
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

  #openDoor(name: string, device: BlockDevice, group: string): BlockDevice {
    const port = this.throttle.openPort(group);
    const within = `${device.name} in ${group}`;
    const throttled = new ThrottledDevice(within, device, port, this.#options.submitter);
    this.#doors.set(name, { port, device: throttled });
    return throttled;
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

/** Where bios of an export enter its group. */
interface Door {
  readonly port: ThrottlePort;
  readonly device: BlockDevice;
}
