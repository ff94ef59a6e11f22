import type { Bio, Sectors } from "@blkstack/bio";
import type { Awaitable, Scheduler, Task } from "@blkstack/task";
import type { BlockDevice, Submitter } from "./device.ts";
import { BlockError, type Errno } from "./errors.ts";
import type { Extent } from "./extent.ts";
import type { QueueLimits } from "./limits.ts";

/** The version of this contract. A target made for another one is refused when it is registered. */
export const API_VERSION = 1;

/** What a target did with a bio that it was given to map. */
export const MapResult = {
  /** The target keeps it: it will end it, or submit it itself. */
  Submitted: 0,
  /**
   * `device` and `sector` were rewritten; please submit it there. The commonest answer, and the
   * only one that costs nothing.
   */
  Remapped: 1,
  /**
   * Cannot be served now: push it back to the sender's queue. Only while the device is suspended
   * without flushing is there such a queue; otherwise the bio fails with an I/O error.
   */
  Requeue: 2,
  /** End it with an I/O error, without asking `endIo`. */
  Kill: 4,
} as const;
export type MapResult = (typeof MapResult)[keyof typeof MapResult];

/** What becomes of a bio that a target saw end. */
export const EndIoResult = {
  /** Go on: tell the next above, with `bio.status` as it is now. */
  Done: 0,
  /** The target keeps it and will end it again. */
  Incomplete: 1,
  /** As `MapResult.Requeue`, and with the same condition. */
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
 * A target sees bios that lie wholly within its range and within the limits of its device; it never
 * cuts one itself, except by `acceptPartial`. `map` may run in several tasks at once, one waiting
 * while another runs, and after any wait the target's own state may be another one.
 *
 * Operations besides READ and WRITE are refused unless the target declares them, so that an old
 * target never lets a new operation through unseen.
 */
export interface Target {
  /**
   * Sends a bio of this target's range on its way. The bio is a clone; its `sector` is still one
   * of the mapped device.
   *
   * Waits: only if the target lives with other bios being parked on the task meanwhile. A bio that
   * it submits itself is parked too, and goes nowhere before `map` has returned: a target that
   * submits a bio and then waits for it waits for ever. Submit at most one bio downward per call.
   */
  map(bio: Bio, task: Task): Awaitable<MapResult>;
  /**
   * Sees a mapped bio end, with `bio.status`, which it may change.
   *
   * Waits: never. Interrupt context: must not throw or submit; what must wait goes to a work queue.
   */
  endIo?(bio: Bio): EndIoResult;
  /** One line of text. `table` must give a table that makes this target again. */
  status(kind: StatusKind): string;

  /** How many copies of an empty flush to be given, `copyIndex` telling which; absent: none. */
  readonly flushBios?: number;
  /**
   * Whether all that becomes of each copy is that it goes to the device in the same place of
   * `devices`; then one is enough for all targets of a table that say so of that device.
   */
  readonly flushesPassThrough?: boolean;
  /** Copies of a discard of one range to be given; absent or 0: discards are refused. */
  readonly discardBios?: number;
  /** The same for writing zeroes. */
  readonly writeZeroesBios?: number;
  /** The same for secure erase. */
  readonly secureEraseBios?: number;
  /**
   * Whether bios that must not wait (`BioFlag.NoWait`) may come: `map` never waits for one, and ends
   * with `BioStatus.Again` what it can only do later; absent: they end with `Again` and never come.
   */
  readonly takesNoWait?: boolean;
  /** Bios are cut at multiples of this; absent or 0: no such lines. */
  readonly maxIoSectors?: Sectors;
  /** The sector of the mapped device that those lines are counted from; absent: the target's begin. */
  readonly ioLinesFrom?: Sectors;

  /** The lower devices and what of them is used: for size and alignment checks, and limits. */
  devices?(): readonly DeviceRange[];
  /**
   * `BlockDevice.findExtent` of this target's range, whose sectors are still those of the mapped
   * device; absent: all is data. Waits: never.
   */
  findExtent?(sector: Sectors, extent: Extent): void;
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
  /** Bios flow again. It is too late to refuse. */
  resume?(task: Task): Awaitable<void>;
  /** Answers a message; throw a BlockError to refuse. */
  message?(words: readonly string[], task: Task): Awaitable<string>;
  /** The table goes away. The last call that a target gets; never beside `map`. */
  destroy?(task: Task): Awaitable<void>;
}

/**
 * The mapped device that a target is part of, as far as the target may use it; as long as it lives.
 */
export interface TargetHost {
  /** What bios are addressed to; for comparing. */
  readonly device: BlockDevice;
  /** Whether people have suspended the device: no bio reaches its targets. */
  readonly isSuspended: boolean;
  /**
   * Keeps bios from the targets of the device until `resumeInternally` was called as often, whatever
   * people do meanwhile: their commands wait. Targets are not told.
   *
   * Waits: until no bio is in flight in the device. Process context, and not from inside `map`.
   */
  suspendInternally(task: Task): Awaitable<void>;
  /** Lets bios flow again, unless people have suspended the device. Waits: for other commands. */
  resumeInternally(task: Task): Awaitable<void>;
  /** Something happened that people wait for: the state of a target changed. Waits: never. */
  raiseEvent(): void;
  /** Tells people, with the name of the device: a line in a log. Waits: never. */
  log(message: string): void;
}

/**
 * What a target is made from: its arguments, and the services that it may use as long as it lives.
 *
 * A target owns no clock, no randomness, no timer and no file: it takes the first three from
 * `scheduler`, so that a run can be repeated to the letter.
 *
 * Its functions need no `this`, and may be taken apart: `create({ args, openDevice, sector })`.
 */
export interface TargetContext {
  /** The arguments behind the type name. */
  readonly args: readonly string[];
  /** Where the target's range begins on the mapped device. */
  readonly begin: Sectors;
  readonly sizeSectors: Sectors;
  /** The name of the mapped device that the table is for. */
  readonly deviceName: string;
  /** The mapped device will take no writes, so lower devices may be read-only too. */
  readonly isReadOnly: boolean;
  readonly scheduler: Scheduler;
  /** The way down for bios that the target makes itself. */
  readonly submitter: Submitter;
  /** Whoever makes the target. Only for the time of `create`. */
  readonly task: Task;
  readonly host: TargetHost;

  /**
   * A part of the system that the owner of the mapped devices provides, by its class: its memory.
   * Throws a BlockError (ENODEV) when there is none of that class.
   */
  readonly service: <T extends object>(kind: abstract new (...args: never[]) => T) => T;
  /**
   * What the targets of all mapped devices have in common, by its class; made when first asked for.
   * Targets that must know of each other meet here, for a module must keep nothing between runs.
   */
  readonly shared: <T extends object>(kind: new (scheduler: Scheduler) => T) => T;

  /** Refuses any other number of arguments: "Invalid argument count". */
  readonly argumentCount: (count: number) => void;
  /** Parses an unsigned decimal count of sectors: "Invalid device sector". */
  readonly sector: (text: string) => Sectors;
  /** Opens a device by name; the table closes it. `complaint` unless told: "Device lookup failed". */
  readonly openDevice: (name: string, complaint?: string) => BlockDevice;
  /** How a table names a device: its number, `253:0`, or its name when it has none. */
  readonly deviceLabel: (device: BlockDevice) => string;
  /**
   * For any other complaint: `throw context.error("Invalid chunk size")`. EINVAL unless told;
   * `detail` says to people what the message, which others know by its words, does not.
   */
  readonly error: (message: string, errno?: Errno, detail?: string) => BlockError;
  /**
   * Inside `map` only: serve the first `sectors` of this bio now, and be given the rest later. Not
   * for a flush, nor for one of several copies.
   */
  readonly acceptPartial: (bio: Bio, sectors: Sectors) => void;
  /** What `createPerBioData` made for this bio. */
  readonly perBioData: (bio: Bio) => object;
  /** Which of several copies of a flush or discard a bio is, from 0. */
  readonly copyIndex: (bio: Bio) => number;
}

/** A kind of target, to be registered by name. */
export interface TargetType {
  /** The word in a table that stands for it. */
  readonly name: string;
  /** Of this kind of target, as `dmsetup targets` shows it; not that of the contract. */
  readonly version: readonly [major: number, minor: number, patch: number];
  /** The version of the contract that the target was written for: the literal, not the constant. */
  readonly apiVersion: number;
  /** Must be the only target of its table. */
  readonly isSingleton?: boolean;
  /** Makes what the target keeps with each bio; once per pooled bio, not zeroed between uses. */
  createPerBioData?(): object;
  /** Throws what `context.error` makes; whatever was opened until then is closed by the table. */
  create(context: TargetContext): Awaitable<Target>;
}

/** Declares a kind of target. The only thing of this package that a target needs at run time. */
export function defineTarget(type: TargetType): TargetType {
  return type;
}

/**
 * Refuses a target type that was written for another version of the contract, before any of it runs.
 *
 * Waits: never. Throws `BlockError` `BLK_API_VERSION`, naming the target and both versions.
 */
export function assertApiVersion(type: TargetType): void {
  if (type.apiVersion === API_VERSION) return;
  throw new BlockError(
    "BLK_API_VERSION",
    "EINVAL",
    `target type "${type.name}" speaks version ${String(type.apiVersion)} of the target contract; ` +
      `this is version ${String(API_VERSION)}`,
  );
}
