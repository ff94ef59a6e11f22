import { SECTOR_BYTES } from "@blkstack/bio";
import {
  type BlockDevice,
  type Extent,
  ExtentFlag,
  ExtentLayer,
  findExtent,
} from "@blkstack/block";
import type { Request } from "./request.ts";

/** Whoever wants an answer fast gets it after so many looks at the device. */
const LOOKS_MAX = 2048;

/** Whether the device knows that a range, which lies within it, reads as zeroes. Waits: never. */
export function isKnownZero({ offsetBytes, lengthBytes }: Request, device: BlockDevice): boolean {
  const extent: Extent = { sectors: 0, flags: 0, layer: ExtentLayer.Only };
  const end = Math.ceil((offsetBytes + lengthBytes) / SECTOR_BYTES);
  let sector = Math.floor(offsetBytes / SECTOR_BYTES);
  for (let looks = 0; sector < end && looks < LOOKS_MAX; looks += 1) {
    extent.sectors = end - sector;
    findExtent(device, sector, extent);
    if ((extent.flags & ExtentFlag.Zero) === 0) return false;
    sector += extent.sectors;
  }
  return sector >= end;
}
