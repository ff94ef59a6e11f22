import type { BlockDevice } from "@blkstack/block";
import type { DeviceMapper } from "@blkstack/device-mapper";
import type { Scheduler } from "@blkstack/task";
import type { StackDescription } from "./description.ts";
import { resumeDevices } from "./remove-devices.ts";
import { runInTask } from "./run-in-task.ts";
import type { UndoList } from "./undo-list.ts";

/** A device as clients are offered it. */
export interface StackExport {
  readonly name: string;
  readonly device: BlockDevice;
  readonly isReadOnly: boolean;
  readonly description?: string;
  /** What a client gets that names no export. */
  readonly isDefault: boolean;
}

export interface StackParts {
  readonly description: StackDescription;
  readonly disks: ReadonlyMap<string, BlockDevice>;
  /** Disks and devices of the file by name. */
  readonly devices: ReadonlyMap<string, BlockDevice>;
  readonly exports: ReadonlyMap<string, StackExport>;
  /**
   * The devices as they are now. Whoever makes, changes or removes some does it here: tables name the
   * disks of the stack, and other devices.
   */
  readonly mapper: DeviceMapper;
}

/** How a stack ends. */
export interface StackUndo {
  readonly scheduler: Scheduler;
  readonly closing: UndoList;
  readonly creations: UndoList;
}

/** An open stack: devices that take bios. */
export class Stack implements StackParts {
  readonly description: StackDescription;
  readonly disks: ReadonlyMap<string, BlockDevice>;
  readonly devices: ReadonlyMap<string, BlockDevice>;
  readonly exports: ReadonlyMap<string, StackExport>;
  readonly mapper: DeviceMapper;
  readonly #scheduler: Scheduler;
  readonly #closing: UndoList;
  readonly #creations: UndoList;

  /** Not for users: `openStack` makes stacks. */
  constructor(parts: StackParts, undo: StackUndo) {
    this.description = parts.description;
    this.disks = parts.disks;
    this.devices = parts.devices;
    this.exports = parts.exports;
    this.mapper = parts.mapper;
    this.#scheduler = undo.scheduler;
    this.#closing = undo.closing;
    this.#creations = undo.creations;
  }

  /**
   * Lets all suspended devices go on, with the tables that they had, so that what waits in them ends.
   * Throws the first error of those that cannot; they fail everything from then on.
   */
  async resumeAll(): Promise<void> {
    await runInTask(this.#scheduler, "resume all", (task) => resumeDevices(this.mapper, task));
  }

  /**
   * Removes the devices that there are now, each before those that it stands on, and closes the disks.
   * May be called again.
   *
   * Waits: until what was submitted has ended and is durable. Throws the first error, after
   * everything was closed; EBUSY for a device that somebody else has open.
   */
  async close(): Promise<void> {
    await this.#closing.undo();
  }

  /** As `close`, and removes the files that opening the stack created. */
  async discard(): Promise<void> {
    try {
      await this.close();
    } finally {
      await this.#creations.undo();
    }
  }
}
