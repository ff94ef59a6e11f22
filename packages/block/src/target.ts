import type { Bio, Sectors } from "@blkstack/bio";
import type { Awaitable, Scheduler, Task } from "@blkstack/task";
import type { BlockDevice, Submitter } from "./device.ts";
import { BlockError, type Errno } from "./errors.ts";
import type { QueueLimits } from "./limits.ts";

/** The version of this contract. A target made for another one is refused when it is registered. */
export const API_VERSION = 1;

/** What a target did with a bio that it was given to map. */
export const MapResult = {
  /** The target keeps it: it will end it, or submit it itself. */
  Submitted: 0,
  /** `device` and `sector` were rewritten; please submit it there. */
  Remapped: 1,
  /** Cannot be served now: push it back to the sender's queue. */
  Requeue: 2,
  /** End it with an I/O error. */
  Kill: 4,
} as const;
export type MapResult = (typeof MapResult)[keyof typeof MapResult];

/** What becomes of a bio that a target saw end. */
export const EndIoResult = {
  Done: 0,
  /** The target keeps it and will end it again. */
  Incomplete: 1,
  Requeue: 2,
} as const;
export type EndIoResult = (typeof EndIoResult)[keyof typeof EndIoResult];

/** `info`: how it is going. `table`: the arguments that make this target again. */
export type StatusKind = "info" | "table";

/** A range of a lower device that a target uses. */
export interface DeviceRange {
  readonly device: BlockDevice;
  readonly startSector: Sectors;
  readonly sizeSectors: Sectors;
}

/**
 * One line of a table at work: what a driver implements.
 *
 * Operations besides READ and WRITE are refused unless the target declares them, so that an old
 * target never lets a new operation through unseen.
 */
export interface Target {
  /**
   * Sends a bio of this target's range on its way. The bio is a clone; its `sector` is still one
   * of the mapped device.
   *
   * Waits: only if the target lives with other bios being parked on the task meanwhile.
   */
  map(bio: Bio, task: Task): Awaitable<MapResult>;
  /** Sees a mapped bio end, with `bio.status`, which it may change. Interrupt context. */
  endIo?(bio: Bio): EndIoResult;
  status(kind: StatusKind): string;

  /** How many copies of an empty flush to be given, `bio.pad` telling which; absent: none. */
  readonly flushBios?: number;
  readonly discardBios?: number;
  readonly writeZeroesBios?: number;
  readonly secureEraseBios?: number;
  /** Bios are cut at multiples of this, counted from the target's begin; absent: no such lines. */
  readonly maxIoSectors?: Sectors;

  /** The lower devices and what of them is used: for size and alignment checks, and limits. */
  devices?(): readonly DeviceRange[];
  /** May tighten the limits that were stacked from `devices`. */
  adjustLimits?(limits: QueueLimits): void;

  /** Before bios stop: let go of what is held. */
  presuspend?(task: Task): Awaitable<void>;
  /** The suspend failed: as if it had not begun. */
  presuspendUndo?(task: Task): Awaitable<void>;
  /** After all bios ended. Strictly paired with `resume`. */
  postsuspend?(task: Task): Awaitable<void>;
  /** Before bios flow again; throw a BlockError to refuse. */
  preresume?(task: Task): Awaitable<void>;
  resume?(task: Task): Awaitable<void>;
  /** Answers a message; throw a BlockError to refuse. */
  message?(words: readonly string[], task: Task): Awaitable<string>;
  /** Never runs beside `map`. */
  destroy?(task: Task): Awaitable<void>;
}

/** What a target is made from. */
export interface TargetContext {
  /** The arguments behind the type name. */
  readonly args: readonly string[];
  readonly begin: Sectors;
  readonly sizeSectors: Sectors;
  /** The name of the mapped device that the table is for. */
  readonly deviceName: string;
  readonly isReadOnly: boolean;
  readonly scheduler: Scheduler;
  readonly submitter: Submitter;
  readonly task: Task;

  /** Refuses any other number of arguments: "Invalid argument count". */
  argumentCount(count: number): void;
  /** Parses an unsigned decimal count of sectors: "Invalid device sector". */
  sector(text: string): Sectors;
  /** Opens a device by name; the table closes it. "Device lookup failed". */
  openDevice(name: string): BlockDevice;
  /** How a table names a device: its number, `253:0`, or its name when it has none. */
  deviceLabel(device: BlockDevice): string;
  /** For any other complaint: `throw context.error("Invalid chunk size")`. EINVAL unless told. */
  error(message: string, errno?: Errno): BlockError;
  /** Inside `map` only: serve the first `sectors` of this bio now, and be given the rest later. */
  acceptPartial(bio: Bio, sectors: Sectors): void;
  /** What `createPerBioData` made for this bio. */
  perBioData(bio: Bio): object;
  /** Which of several copies of a flush or discard a bio is, from 0. */
  copyIndex(bio: Bio): number;
}

/** A kind of target, to be registered by name. */
export interface TargetType {
  readonly name: string;
  readonly version: readonly [major: number, minor: number, patch: number];
  readonly apiVersion: number;
  /** Must be the only target of its table. */
  readonly isSingleton?: boolean;
  /** Makes what the target keeps with each bio; once per pooled bio, not zeroed between uses. */
  createPerBioData?(): object;
  create(context: TargetContext): Awaitable<Target>;
}

/** Declares a kind of target. The only thing of this package that a target needs at run time. */
export function defineTarget(type: TargetType): TargetType {
  return type;
}

/** Refuses a target type that was written for another version of the contract. */
export function assertApiVersion(type: TargetType): void {
  if (type.apiVersion === API_VERSION) return;
  throw new BlockError(
    "BLK_API_VERSION",
    "EINVAL",
    `target type "${type.name}" speaks version ${String(type.apiVersion)} of the target contract; ` +
      `this is version ${String(API_VERSION)}`,
  );
}
