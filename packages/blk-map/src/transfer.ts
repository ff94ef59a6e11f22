import {
  type BioFlags,
  type BioOp,
  BioStatus,
  type Bytes,
  errnoToStatus,
  PAGE_BYTES,
  SECTOR_BYTES,
  type Sectors,
} from "@blkstack/bio";
import type { BlockDevice, Submitter } from "@blkstack/block";
import type { Gfp, Task } from "@blkstack/task";
import { Request } from "./request.ts";
import type { RequestMapper } from "./request-mapper.ts";
import { cutList, type SgList, totalBytes } from "./sg-list.ts";

const ENOMEM = -12;
const EINVAL = -22;

export interface Transfer {
  readonly device: BlockDevice;
  readonly op: typeof BioOp.Read | typeof BioOp.Write;
  /** Where it begins on the device. */
  readonly sector: Sectors;
  /** Our memory; whole logical blocks in sum. */
  readonly list: SgList;
  /** What each bio asks for; `BioFlag.Fua` makes what is written durable. Default: nothing. */
  readonly flags?: BioFlags;
}

/**
 * Moves data between a device and our memory, in one request if the device takes that much and there
 * is memory for it. If not, it lets go of all and goes on with half of it at a time, down to a page,
 * which waits for what it needs: each piece has ended before the next is made. So it neither waits
 * with something in hand that others wait for, nor asks again and again.
 *
 * Waits: for memory, and until the data is moved. Answers the first error, behind which nothing is tried.
 */
export async function transferKernSg(
  mapper: RequestMapper,
  submitter: Submitter,
  { device, op, sector, list, flags = 0 }: Transfer,
  { gfp, task }: { readonly gfp: Gfp; readonly task: Task },
): Promise<BioStatus> {
  const bytes = totalBytes(list);
  const { maxHwSectors, logicalBlockBytes } = device.queue.limits;
  const mostBytes = maxHwSectors * SECTOR_BYTES;
  let pieceBytes = Math.min(bytes, mostBytes - (mostBytes % logicalBlockBytes));
  for (let doneBytes = 0; doneBytes < bytes;) {
    const part = cutList(list, doneBytes, Math.min(pieceBytes, bytes - doneBytes));
    const request = new Request(device, op, sector + doneBytes / SECTOR_BYTES);
    request.flags = flags;
    const errno = await mapper.mapKernSg(request, part, gfp, task);
    const isTooMuch = errno === ENOMEM || errno === EINVAL;
    if (isTooMuch && pieceBytes > logicalBlockBytes) {
      pieceBytes = halfOf(pieceBytes, logicalBlockBytes);
      continue;
    }
    if (errno !== 0) return errnoToStatus(errno);
    const status = await request.execute(submitter, task);
    if (status !== BioStatus.Ok) return status;
    doneBytes += totalBytes(part);
  }
  return BioStatus.Ok;
}

/** Whole pages as long as it is more than one, and whole blocks at any time. */
function halfOf(bytes: Bytes, blockBytes: Bytes): Bytes {
  const unit = bytes > PAGE_BYTES ? Math.max(PAGE_BYTES, blockBytes) : blockBytes;
  return Math.max(Math.floor(bytes / 2 / unit) * unit, unit);
}
