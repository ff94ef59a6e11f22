import type { Sectors } from "@blkstack/bio";
import type { Errno, QueueLimits, TargetType } from "@blkstack/block";
import type { DeviceMapper } from "@blkstack/device-mapper";
import type { Task } from "@blkstack/task";
import type { DiskRigOptions } from "../disk-rig.ts";
import type { MakeModel } from "./model.ts";
import type { RuleName } from "./rule.ts";

/** An operation that a target need not take. */
export type OptionalOp = "discard" | "writeZeroes" | "secureErase";

/** A rule that a target does not keep, and why: `{ "power-cut": "forgets what is written" }`. */
export type Exceptions = Partial<Record<RuleName, string>>;

/** A table line that the target takes. */
export interface ValidTable {
  /** Type and arguments: `linear a 8`. The suite puts the place in front. */
  readonly line: string;
  /** Of the line. Default: 32. */
  readonly sizeSectors?: Sectors;
  /** The line as the device tells it. Default: `line`, with numbers for the names of disks. */
  readonly tells?: string;
  /** What becomes of data and statuses. Made afresh for each device that the suite makes. */
  readonly model: MakeModel;
  /**
   * A line, of `target` or `others`, that stands for this one for a moment when the device gets the same
   * table again: who takes over from others only cannot take over from itself.
   */
  readonly between?: string;
  /** What must be done when the device `md` is there, before any bio: a message, say. */
  readonly prepare?: (dm: DeviceMapper, task: Task) => Promise<unknown>;
  /** Besides those of the claims, of this line alone. */
  readonly except?: Exceptions;
}

/** A table line that is refused. */
export interface InvalidTable {
  /** Type and arguments. */
  readonly line: string;
  /** Stands in the message. */
  readonly says: string;
  /** Default: EINVAL. */
  readonly errno?: Errno;
}

/** What a target claims of itself. Whatever is not said is the strictest. */
export interface TargetClaims {
  /** Operations besides reads and writes. The others it must refuse. Default: none. */
  readonly takes?: readonly OptionalOp[];
  /** How long it may hold a bio back, in ms. Default: 0, so that only disks take time. */
  readonly holdsMs?: number;
  /** Whether an error of a disk comes up as it is, or as any error. Default: as it is. */
  readonly errors?: "as-they-are" | "any";
  /** Disks of which it uses whatever it likes, besides `devices()`: for a log, a store. Default: none. */
  readonly ownDisks?: readonly string[];
  /** Disks whose errors nobody above need hear of. Default: none. */
  readonly toleratesErrorsOf?: readonly string[];
  /** Limits that are wider than those of the disks, for the target does what is needed. */
  readonly widens?: readonly (keyof QueueLimits)[];
  /**
   * Pools, by their labels, that need more elements than one for a bio to be done with no memory at
   * all, and how many. One that needs no more must not be named. Default: none.
   */
  readonly reserves?: Readonly<Record<string, number>>;
  /** Rules that no line keeps. Each must really be broken, or the suite says so. */
  readonly except?: Exceptions;
}

/** All that the suite needs to know of a kind of target. */
export interface SuiteOptions {
  readonly target: TargetType;
  /** Other kinds that `prepare` needs. */
  readonly others?: readonly TargetType[];
  /** What the target finds by its class, beside the memory. */
  readonly services?: DiskRigOptions["services"];
  /** By name, how large they are. Default: `a` and `b`, of 64 sectors each. */
  readonly disks?: Readonly<Record<string, Sectors>>;
  /** Disks that hold zeroes at first; the others hold what tells each of their sectors from all others. */
  readonly blankDisks?: readonly string[];
  readonly tables: readonly ValidTable[];
  readonly invalidTables: readonly InvalidTable[];
  readonly claims?: TargetClaims;
  /** Schedules that each explored rule runs for each table. Default: 24. */
  readonly schedules?: number;
}
