import type { Bytes } from "@blkstack/bio";
import type { StackSource } from "./stack-source.ts";

/** A disk that keeps its sectors in a file. */
export interface FileDiskDescription {
  readonly kind: "file";
  /** As written: relative to the folder of the stack file. */
  readonly path: string;
  /** What the file must be long, or becomes when it is created; absent: what it is long. */
  readonly sizeBytes?: Bytes;
  /** Makes the file when it is missing. */
  readonly create: boolean;
  readonly isReadOnly: boolean;
  /** Goes past the page cache: memory must lie as the host's disk wants it. */
  readonly isDirect?: boolean;
}

/** A part of a file, or all of it, as a disk: a loop device. */
export interface LoopDiskDescription {
  readonly kind: "loop";
  /** As written: relative to the folder of the stack file. */
  readonly path: string;
  /** Where in the file the disk begins. */
  readonly offsetBytes: Bytes;
  /** How large it is; absent: all that the file has behind the offset. */
  readonly sizeBytes?: Bytes;
  /** Makes the file, as long as is needed, when it is missing. */
  readonly create: boolean;
  readonly isReadOnly: boolean;
}

/** A disk that keeps its sectors in memory. */
export interface RamDiskDescription {
  readonly kind: "ram";
  readonly sizeBytes: Bytes;
  readonly isReadOnly: boolean;
}

/** An export of an NBD server as a disk. */
export interface NbdDiskDescription {
  readonly kind: "nbd";
  /** An NBD URI as written: paths in it are relative to the folder of the stack file. */
  readonly uri: string;
  /** What the export must be long; absent: what it is long. */
  readonly sizeBytes?: Bytes;
  /** How many to make if the server says that they are one disk; absent: one. */
  readonly connections?: number;
  /** What becomes of bios when a connection is lost; absent: all fail, for ever. */
  readonly reconnect?: "none" | "fail" | "reissue";
  /** For how long a server that is gone is waited for; absent: as long as the opener thinks right. */
  readonly reconnectMs?: number;
  /** For how long a server may leave requests without an answer; absent: as the opener thinks right. */
  readonly answerMs?: number;
  /** No write is answered before it is durable. */
  readonly writesThrough?: boolean;
  readonly isReadOnly: boolean;
}

/** A bottom of the stack. Who opens it is told to `openStack`, by `kind`. */
export type DiskDescription =
  FileDiskDescription | LoopDiskDescription | NbdDiskDescription | RamDiskDescription;

/** What a group of exports may use together, each per second; absent: as much as there is. */
export interface GroupDescription {
  readonly rbps?: number;
  readonly wbps?: number;
  readonly riops?: number;
  readonly wiops?: number;
  /** For how long what is not used may still be used later; absent: a tenth of a second at most. */
  readonly burstMs?: number;
  /**
   * From 10 to 1000: its share of the time of each disk or device that it uses, beside the other
   * groups that do. Absent: no share, if none of them has a weight; else 500.
   */
  readonly weight?: number;
}

/** A device that is offered to clients, by the name that is the key. */
export interface ExportDescription {
  /** The disk or device of the stack. */
  readonly device: string;
  /** Absent: as the device is. */
  readonly isReadOnly?: boolean;
  /** For people: what clients see when they list the exports. */
  readonly description?: string;
  /** What a client gets that names no export. */
  readonly isDefault: boolean;
  readonly group?: string;
  /** Clients are told to keep to the blocks of the device; absent: any range will do. */
  readonly keepsBlockSize?: boolean;
}

/** What a stack file says. Maps keep the order of the file. */
export interface StackDescription {
  /** Modules whose target types tables may name besides those that there are; relative to the file. */
  readonly targets: readonly string[];
  readonly disks: ReadonlyMap<string, DiskDescription>;
  /** By name. One called `a/b` is below `a`, whose limits bind it too. */
  readonly groups: ReadonlyMap<string, GroupDescription>;
  /** Table text by device name, one line per target. */
  readonly devices: ReadonlyMap<string, string>;
  readonly exports: ReadonlyMap<string, ExportDescription>;
  /** Where each part stands, for complaints. */
  readonly source: StackSource;
}
