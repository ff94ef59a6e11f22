import type { BlockDevice } from "@blkstack/block";
import type { StackDescription } from "./description.ts";
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
  /** Disks and devices by name. */
  readonly devices: ReadonlyMap<string, BlockDevice>;
  readonly exports: ReadonlyMap<string, StackExport>;
}

/** An open stack: devices that take bios. */
export class Stack implements StackParts {
  readonly description: StackDescription;
  readonly devices: ReadonlyMap<string, BlockDevice>;
  readonly exports: ReadonlyMap<string, StackExport>;
  readonly #closing: UndoList;
  readonly #creations: UndoList;

  /** Not for users: `openStack` makes stacks. */
  constructor(parts: StackParts, closing: UndoList, creations: UndoList) {
    this.description = parts.description;
    this.devices = parts.devices;
    this.exports = parts.exports;
    this.#closing = closing;
    this.#creations = creations;
  }

  /**
   * Removes the devices, the last made first, and closes the disks. May be called again.
   *
   * Waits: until what was submitted has ended and is durable. Throws the first error, after
   * everything was closed.
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
