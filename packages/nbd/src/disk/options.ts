import type { Bytes } from "@blkstack/bio";
import { BlockError } from "@blkstack/block";
import type { Scheduler } from "@blkstack/task";
import type { NbdAddress } from "../uri.ts";

/**
 * What becomes of bios when a connection is lost.
 *
 * - `none`: those with the server fail, and so does everything from then on.
 * - `fail`: those with the server fail; others wait for the next connection.
 * - `reissue`: all wait for the next connection, and those with the server are sent again.
 */
export type ReconnectPolicy = "none" | "fail" | "reissue";

export interface NbdDiskOptions {
  readonly name: string;
  readonly address: NbdAddress;
  readonly scheduler: Scheduler;
  /** How many connections to make if the server says that they are one disk. Default 1; 1 to 16. */
  readonly connections?: number;
  /** Writes nothing, even where the server would. Default: as the export is. */
  readonly isReadOnly?: boolean;
  /** What the export must be long; absent: whatever it is. */
  readonly sizeBytes?: Bytes;
  /** Default `none`. */
  readonly reconnect?: ReconnectPolicy;
  /** For how long after a loss bios wait for the next connection. Default 30 s. */
  readonly reconnectMs?: number;
  /** Answers no write before it is durable: then a server that dies takes nothing along. Default false. */
  readonly writesThrough?: boolean;
  /** How many bios may be with the server at once; the others wait. Default 64; 1 to 1024. */
  readonly maxInFlight?: number;
}

/** Throws a BlockError, `BLK_DEVICE` EINVAL, for numbers that make no sense. */
export function checkOptions(options: NbdDiskOptions): void {
  const { name, connections = 1, maxInFlight = 1, reconnectMs = 0 } = options;
  const check = (what: string, value: number, min: number, max: number): void => {
    if (Number.isInteger(value) && value >= min && value <= max) return;
    const message = `disk "${name}": ${what} is ${String(value)}; give a whole number from ${String(min)} to ${String(max)}`;
    throw new BlockError("BLK_DEVICE", "EINVAL", message);
  };
  check("connections", connections, 1, 16);
  check("maxInFlight", maxInFlight, 1, 1024);
  check("reconnectMs", reconnectMs, 0, Number.MAX_SAFE_INTEGER);
}
