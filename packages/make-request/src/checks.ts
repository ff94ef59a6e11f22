import {
  type Bio,
  bioEndio,
  bioError,
  BioFlag,
  BioOp,
  BioStatus,
  isWriteOp,
  SECTOR_BYTES,
  SECTOR_SHIFT,
  type Sectors,
} from "@blkstack/bio";
import type { BlockDevice, QueueLimits } from "@blkstack/block";
import type { Task } from "@blkstack/task";

/**
 * What happens to a write to a device that says it is read-only.
 *
 * - `refuse`: it ends with `BioStatus.ReadOnly`, and the driver never sees it.
 * - `warn`: the scheduler is told, and the write goes on. So Linux did for long, for the sake of
 *   tools that write to what they opened read-only.
 */
export type ReadOnlyPolicy = "refuse" | "warn";

/** Decides which bios fail on the way down, for tests of those above. */
export interface FaultInjection {
  /** Whether this bio shall end with an I/O error. Called once per submission; must not wait. */
  shouldFail(bio: Bio, task: Task): boolean;
}

export interface CheckPolicy {
  readonly onReadOnly: ReadOnlyPolicy;
  readonly faultInjection: FaultInjection | null;
  /** Whether somebody will cut bios that are too large; else they are refused. */
  readonly cutsLarge: boolean;
}

// Constants of this module are part of the machine code; what is imported is looked up each time.
const WRITE = BioOp.Write;
const SHIFT = SECTOR_SHIFT;
const SECTOR_MASK = SECTOR_BYTES - 1;
const FLUSH_FLAGS = BioFlag.Preflush | BioFlag.Fua;
const FLAGS_TO_LOOK_AT = FLUSH_FLAGS | BioFlag.NoWait;

/**
 * Takes a submitted bio through the checks. False: it was ended, or taken by the queue's hook.
 *
 * Harmless to repeat, for a rescued bio is submitted twice: a bio that was moved from its partition
 * to the whole disk has no partition any more.
 */
export function passesChecks(bio: Bio, task: Task, policy: CheckPolicy): boolean {
  const device = bio.device as BlockDevice | null;
  if (device === null) return refuse(bio, BioStatus.IoError);
  if (isPlain(bio) && policy.faultInjection === null && !device.isReadOnly) {
    if (endsBeyond(bio, device.sizeSectors)) return refuse(bio, BioStatus.IoError);
  } else if (!passesAll(bio, device, task, policy)) {
    return false;
  }
  const { limits, submitHook } = device.queue;
  if (!policy.cutsLarge && isTooLarge(bio, limits)) return refuse(bio, BioStatus.IoError);
  return submitHook?.take(bio, task) !== true;
}

/** A read or write of a whole device with no wishes: of such there is little to check. */
function isPlain(bio: Bio): boolean {
  const { op, flags, partition, sizeBytes } = bio;
  return (
    op <= WRITE &&
    partition === 0 &&
    (flags & FLAGS_TO_LOOK_AT) === 0 &&
    (sizeBytes & SECTOR_MASK) === 0
  );
}

function passesAll(bio: Bio, device: BlockDevice, task: Task, policy: CheckPolicy): boolean {
  const { limits } = device.queue;
  if ((bio.sizeBytes & (SECTOR_BYTES - 1)) !== 0) return refuse(bio, BioStatus.IoError);
  if ((bio.flags & BioFlag.NoWait) !== 0 && !limits.canNoWait) return refuse(bio, BioStatus.Again);
  if (policy.faultInjection?.shouldFail(bio, task) === true) return refuse(bio, BioStatus.IoError);
  if (bio.partition !== 0 && !moveToWholeDisk(bio, device)) return refuse(bio, BioStatus.IoError);
  if (endsBeyond(bio, device.sizeSectors)) return refuse(bio, BioStatus.IoError);
  if (device.isReadOnly && isChange(bio) && !mayWriteReadOnly(bio, device, task, policy)) {
    return refuse(bio, BioStatus.ReadOnly);
  }
  if (!limits.hasVolatileCache && !needsDriverWithoutCache(bio)) return false;
  return isSupported(bio.op, limits) || refuse(bio, BioStatus.NotSupported);
}

function refuse(bio: Bio, status: BioStatus): false {
  bioError(bio, status);
  return false;
}

/** Readdresses a bio of a partition; false when there is no such partition, or the bio leaves it. */
function moveToWholeDisk(bio: Bio, device: BlockDevice): boolean {
  const partition = device.partitions?.[bio.partition - 1];
  if (partition === undefined || endsBeyond(bio, partition.sizeSectors)) return false;
  // An empty flush is of no place.
  if (bio.sizeBytes > 0) bio.sector += partition.startSector;
  bio.partition = 0;
  return true;
}

/** Whether a bio leaves a device of this size; an empty bio never does, nor any when it is unknown. */
function endsBeyond(bio: Bio, sizeSectors: Sectors): boolean {
  const { sizeBytes, sector } = bio;
  if (sizeBytes === 0 || sizeSectors === 0) return false;
  return sector < 0 || sector + (sizeBytes >>> SHIFT) > sizeSectors;
}

/** Whether a bio would change the medium: every write but an empty flush. */
function isChange(bio: Bio): boolean {
  if (!isWriteOp(bio.op) || bio.op === BioOp.DriverIn) return false;
  return bio.sizeBytes > 0 || !(bio.isFlush || bio.op === BioOp.Flush);
}

function mayWriteReadOnly(bio: Bio, device: BlockDevice, task: Task, policy: CheckPolicy): boolean {
  if (policy.onReadOnly === "refuse") return false;
  task.scheduler.warn(`${task.name} writes to read-only ${device.name}: ${bio.toString()}`);
  return true;
}

/** Where every acknowledged write is durable there is nothing to flush: an empty flush is done. */
function needsDriverWithoutCache(bio: Bio): boolean {
  if (!bio.isFlush && bio.op !== BioOp.Flush) return true;
  bio.flags &= ~FLUSH_FLAGS;
  if (bio.sizeBytes > 0) return true;
  bioEndio(bio);
  return false;
}

function isSupported(op: BioOp, limits: QueueLimits): boolean {
  switch (op) {
    case BioOp.Read:
    case BioOp.Write:
    case BioOp.Flush:
    case BioOp.DriverIn:
    case BioOp.DriverOut:
      return true;
    case BioOp.Discard:
      return limits.maxDiscardSectors > 0;
    case BioOp.SecureErase:
      return limits.maxSecureEraseSectors > 0;
    case BioOp.WriteZeroes:
      return limits.maxWriteZeroesSectors > 0;
    // No device here is zoned.
    case BioOp.ZoneAppend:
    case BioOp.ZoneOpen:
    case BioOp.ZoneClose:
    case BioOp.ZoneFinish:
    case BioOp.ZoneReset:
    case BioOp.ZoneResetAll:
      return false;
  }
}

function isTooLarge(bio: Bio, limits: QueueLimits): boolean {
  if (bio.op > WRITE) return false;
  // In sectors, for a limit may be infinite, and only whole numbers are quick to compare.
  return bio.sizeBytes >>> SHIFT > limits.maxHwSectors;
}
