import { BIO_MAX_VECS, type Bytes, SECTOR_BYTES } from "@blkstack/bio";
import { type QueueLimits, stackingLimits } from "@blkstack/block";
import type { RemoteExport } from "../client-handshake.ts";
import { TransmissionFlag } from "../wire.ts";

/** No server has to take more in one request unless it says so, and more than this is never sent. */
const PAYLOAD_BYTES_MAX = 32 * 1024 * 1024;
/** Of requests without payload; all that a bio can ask for. */
const RANGE_BYTES_MAX = 0xffff_ffff;

/** What the server can do, and says that it does not have to be told twice. */
export function can({ flags }: RemoteExport, flag: number): boolean {
  return (flags & flag) !== 0;
}

/** What one bio may ask of an export. `isThrough`: no write is answered before it is durable. */
export function limitsOfExport(remote: RemoteExport, isThrough: boolean): QueueLimits {
  const { minBytes, preferredBytes, maxBytes } = remote.blockSize ?? {
    minBytes: 1,
    preferredBytes: SECTOR_BYTES,
    maxBytes: PAYLOAD_BYTES_MAX,
  };
  const blockBytes = Math.max(minBytes, SECTOR_BYTES);
  const wholeBlocks = (bytes: Bytes): number =>
    (Math.floor(bytes / blockBytes) * blockBytes) / SECTOR_BYTES;
  const payloadSectors = wholeBlocks(Math.min(maxBytes, PAYLOAD_BYTES_MAX));
  const rangeSectors = wholeBlocks(RANGE_BYTES_MAX);
  return {
    ...stackingLimits(),
    logicalBlockBytes: blockBytes,
    physicalBlockBytes: blockBytes,
    ioMinBytes: Math.max(blockBytes, preferredBytes),
    maxSectors: payloadSectors,
    maxHwSectors: payloadSectors,
    maxSegments: BIO_MAX_VECS,
    maxDiscardSectors: can(remote, TransmissionFlag.SendTrim) ? rangeSectors : 0,
    discardGranularityBytes: blockBytes,
    maxWriteZeroesSectors: can(remote, TransmissionFlag.SendWriteZeroes) ? rangeSectors : 0,
    hasVolatileCache: can(remote, TransmissionFlag.SendFlush) && !isThrough,
    hasFua: can(remote, TransmissionFlag.SendFua),
  };
}

/** What an export lacks that was there before, and that is relied on; null: nothing. */
export function lossOf(
  before: RemoteExport,
  now: RemoteExport,
  isReadOnly: boolean,
): string | null {
  // One that has grown still has all that is relied on.
  if (now.sizeBytes < before.sizeBytes) {
    return `has ${String(now.sizeBytes)} bytes, and had ${String(before.sizeBytes)}`;
  }
  if (!isReadOnly && can(now, TransmissionFlag.ReadOnly)) return "is read-only, and was not";
  const lost = RELIED_ON.find(([flag]) => can(before, flag) && !can(now, flag));
  if (lost !== undefined) return `cannot ${lost[1]} any more`;
  const [old, sizes] = [limitsOfExport(before, false), limitsOfExport(now, false)];
  if (sizes.logicalBlockBytes > old.logicalBlockBytes || sizes.maxSectors < old.maxSectors) {
    return "takes other block sizes than before";
  }
  return null;
}

const RELIED_ON: readonly (readonly [flag: number, what: string])[] = [
  [TransmissionFlag.SendFlush, "flush"],
  [TransmissionFlag.SendFua, "write durably (FUA)"],
  [TransmissionFlag.SendTrim, "trim"],
  [TransmissionFlag.SendWriteZeroes, "write zeroes"],
];
