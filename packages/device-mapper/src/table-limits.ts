import { SECTOR_BYTES } from "@blkstack/bio";
import { type QueueLimits, stackingLimits, stackLimits } from "@blkstack/block";
import type { Table } from "./table.ts";
import { checkArea } from "./table-checks.ts";
import { TableError } from "./table-error.ts";
import type { TableTarget } from "./table-target.ts";

/**
 * What a device with this table can take in one bio: what all lower devices can, tightened by the
 * targets. Refuses (EINVAL) a table whose ranges are not there, or cut blocks.
 */
export function tableLimits(table: Table, deviceNumber: string): QueueLimits {
  const limits = stackingLimits();
  for (const entry of table.entries) {
    const own = targetLimits(entry);
    const rules = { deviceNumber, logicalBlockBytes: own.logicalBlockBytes };
    for (const range of entry.target.devices?.() ?? []) checkArea(entry, range, rules);
    stackLimits(limits, own, 0);
  }
  checkLineAlignment(table, limits, deviceNumber);
  // One line that cannot do it, and a bio of the whole device could not be served.
  if (!table.entries.every((entry) => canDiscard(entry))) {
    limits.maxDiscardSectors = 0;
    limits.discardGranularityBytes = 0;
    limits.discardAlignmentBytes = 0;
  }
  if (!table.entries.every(({ target }) => (target.writeZeroesBios ?? 0) > 0)) {
    limits.maxWriteZeroesSectors = 0;
  }
  if (!table.entries.every(({ target }) => (target.secureEraseBios ?? 0) > 0)) {
    limits.maxSecureEraseSectors = 0;
  }
  return limits;
}

function targetLimits({ target }: TableTarget): QueueLimits {
  const limits = stackingLimits();
  for (const { device, startSector } of target.devices?.() ?? []) {
    stackLimits(limits, device.queue.limits, startSector);
  }
  target.adjustLimits?.(limits);
  // Who does not say that it can may wait, as `map` is allowed to.
  if (target.takesNoWait !== true) limits.canNoWait = false;
  // A target that takes no flushes has nothing that one would make durable.
  if ((target.flushBios ?? 0) === 0) limits.hasVolatileCache = false;
  return limits;
}

function canDiscard({ target }: TableTarget): boolean {
  if ((target.discardBios ?? 0) === 0) return false;
  const devices = target.devices?.() ?? [];
  return devices.every(({ device }) => device.queue.limits.maxDiscardSectors > 0);
}

/** A block that reaches over the end of a line would have to be cut. */
function checkLineAlignment(table: Table, limits: QueueLimits, deviceNumber: string): void {
  const blockSectors = BigInt(limits.logicalBlockBytes / SECTOR_BYTES);
  if (table.entries.length === 1) return;
  for (const { line } of table.entries) {
    // Where a line begins, others of whole blocks have ended.
    if (line.length % blockSectors === 0n) continue;
    const message = `not aligned to the logical block size ${String(limits.logicalBlockBytes)}`;
    throw new TableError({
      errno: "EINVAL",
      lineNumber: line.lineNumber,
      message,
      kernelLog: [
        `table: ${deviceNumber}: table line ${String(line.lineNumber)} ${message}`,
        "core: Cannot calculate initial queue limits",
        "ioctl: unable to set up device queue for new table.",
      ],
    });
  }
}
