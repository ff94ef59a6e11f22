import { type Bytes, SECTOR_BYTES } from "@blkstack/bio";
import { BlockError } from "@blkstack/block";
import type { Scheduler } from "@blkstack/task";
import type { RemoteExport } from "../client-handshake.ts";
import { formatNbdUri, type NbdAddress } from "../uri.ts";

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
  /**
   * For how long a connection may bring nothing while requests wait for it; then it is lost. Up to a
   * fourth more may pass. Default 60 s.
   */
  readonly answerMs?: number;
  /** Answers no write before it is durable: then a server that dies takes nothing along. Default false. */
  readonly writesThrough?: boolean;
  /** How many bios may be with the server at once; the others wait. Default 64; 1 to 1024. */
  readonly maxInFlight?: number;
}

/** Throws a BlockError, `BLK_DEVICE` EINVAL, for numbers that make no sense. */
export function checkOptions(options: NbdDiskOptions): void {
  const { name, connections = 1, maxInFlight = 1, reconnectMs = 0, answerMs = 1 } = options;
  const check = (what: string, value: number, min: number, max: number): void => {
    if (Number.isInteger(value) && value >= min && value <= max) return;
    const message = `disk "${name}": ${what} is ${String(value)}; give a whole number from ${String(min)} to ${String(max)}`;
    throw new BlockError("BLK_DEVICE", "EINVAL", message);
  };
  check("connections", connections, 1, 16);
  check("maxInFlight", maxInFlight, 1, 1024);
  check("reconnectMs", reconnectMs, 0, Number.MAX_SAFE_INTEGER);
  check("answerMs", answerMs, 1, Number.MAX_SAFE_INTEGER);
}

/** Throws a BlockError, `BLK_DEVICE` EINVAL, for an export that is no disk, or not as long as was said. */
export function checkSize(
  { name, address, sizeBytes }: NbdDiskOptions,
  remote: RemoteExport,
): void {
  const refuse = (what: string): never => {
    const message = `disk "${name}": ${formatNbdUri(address)} has ${String(remote.sizeBytes)} bytes; ${what}`;
    throw new BlockError("BLK_DEVICE", "EINVAL", message);
  };
  if (sizeBytes !== undefined && sizeBytes !== remote.sizeBytes) {
    refuse(`its size should be ${String(sizeBytes)}`);
  }
  if (remote.sizeBytes < Math.max(remote.blockSize?.minBytes ?? 1, SECTOR_BYTES)) {
    refuse("a disk has one block at least");
  }
}
