import { type Bytes, SECTOR_BYTES } from "@blkstack/bio";
import {
  type BlockDevice,
  type Extent,
  type ExtentInquiry,
  ExtentLayer,
  findExtent,
} from "@blkstack/block";
import type { MetaContext } from "./meta-context.ts";
import type { Request } from "./request.ts";
import { CommandFlag } from "./wire.ts";

/** One question does not keep everybody waiting for longer than so many looks at the device. */
const LOOKS_MAX = 2048;

/** What one context says of a range, from its beginning, and perhaps not to its end. */
export interface StatusReply {
  readonly context: MetaContext;
  readonly lengths: readonly Bytes[];
  readonly statuses: readonly number[];
}

/** What is asked, and how much of it is told at the most. */
export interface StatusLook {
  readonly device: BlockDevice;
  readonly inquiry: ExtentInquiry;
  /** At least 1. */
  readonly extentsMax: number;
}

/**
 * Answers a BLOCK_STATUS, whose range lies within the device. Waits: never. When the inquiry has a
 * question then, the answer is not all that can be known.
 */
export function blockStatus(
  request: Request,
  look: StatusLook,
  contexts: readonly MetaContext[],
): StatusReply[] {
  const { inquiry } = look;
  const extent: Extent = { sectors: 0, flags: 0, layer: ExtentLayer.Only, inquiry };
  return contexts.map((context) => statusOf(request, look, { context, extent }));
}

function statusOf(
  request: Request,
  { device, extentsMax: most }: StatusLook,
  { context, extent }: { readonly context: MetaContext; readonly extent: Extent },
): StatusReply {
  const { offsetBytes, lengthBytes, flags } = request;
  const extentsMax = (flags & CommandFlag.RequestOne) === 0 ? most : 1;
  const end = offsetBytes + lengthBytes;
  const endSector = Math.ceil(end / SECTOR_BYTES);
  const lengths: Bytes[] = [];
  const statuses: number[] = [];
  let at = offsetBytes;
  for (let looks = 0; at < end && looks < LOOKS_MAX; looks += 1) {
    const sector = Math.floor(at / SECTOR_BYTES);
    extent.sectors = endSector - sector;
    findExtent(device, sector, extent);
    if (extent.inquiry?.hasQuestion === true) break;
    const next = Math.min(end, (sector + extent.sectors) * SECTOR_BYTES);
    const status = context.statusOf(extent);
    if (statuses.at(-1) === status) {
      lengths[lengths.length - 1] = (lengths.at(-1) ?? 0) + next - at;
    } else if (lengths.length === extentsMax) {
      break;
    } else {
      lengths.push(next - at);
      statuses.push(status);
    }
    at = next;
  }
  return { context, lengths, statuses };
}
