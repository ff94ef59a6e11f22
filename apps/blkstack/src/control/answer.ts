import type { DeviceInfo } from "@blkstack/device-mapper";
import type { GroupReport } from "@blkstack/stack";
import type { ExportReport } from "../live-exports.ts";
import type { DoneStep } from "../operate/reloader.ts";

/** Why a request was refused. */
export interface Refusal {
  /** `EBUSY`; absent when the server itself is to blame. */
  readonly errno?: string;
  readonly message: string;
  /** Which step of it: a `create` also loads and resumes. Absent: it was not understood. */
  readonly step?: string;
  /** What `dmsetup` would name besides the device: its number while that is new. */
  readonly detail?: string;
}

/** What one target, or each target of a table, has to say. */
export interface DeviceLines {
  readonly name: string;
  readonly lines: readonly string[];
}

/** A group, and the names of the exports that are in it. */
export interface GroupAnswer extends GroupReport {
  readonly exports: readonly string[];
}

/** The answer to a request: of these, what was asked for. */
export interface Answer {
  readonly error?: Refusal;
  /** To requests that change a device, too: as it is now. */
  readonly devices?: readonly DeviceInfo[];
  readonly lines?: readonly DeviceLines[];
  readonly exports?: readonly ExportReport[];
  readonly groups?: readonly GroupAnswer[];
  /** What a reload has done. */
  readonly steps?: readonly DoneStep[];
  /** What a target answers to a message. */
  readonly message?: string;
}
