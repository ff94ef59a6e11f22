import type { BioVec, Page, Sectors } from "@blkstack/bio";
import type { BlockDevice } from "@blkstack/block";

/** A range of a device. */
export interface IoRegion {
  readonly device: BlockDevice;
  readonly sector: Sectors;
  /** How long it is; 0 is no range at all. */
  readonly sectors: Sectors;
}

/** A region that is used again and again. */
export class ReusedRegion implements IoRegion {
  device: BlockDevice;
  sector: Sectors = 0;
  sectors: Sectors = 0;

  constructor(device: BlockDevice) {
    this.device = device;
  }

  /** Becomes the part of `region` that begins `offset` sectors into it and is so long. */
  setPart(region: IoRegion, offset: Sectors, sectors: Sectors): void {
    this.device = region.device;
    this.sector = region.sector + offset;
    this.sectors = sectors;
  }
}

/** Makes `list` such parts of `regions`. */
export function setParts(
  list: ReusedRegion[],
  regions: readonly IoRegion[],
  offset: Sectors,
  sectors: Sectors,
): void {
  if (list.length > regions.length) list.length = regions.length;
  for (let index = 0; index < regions.length; index += 1) {
    const region = regions[index];
    if (region === undefined) continue;
    let part = list[index];
    if (part === undefined) list.push((part = new ReusedRegion(region.device)));
    part.setPart(region, offset, sectors);
  }
}

/** Pages as memory for I/O, from `offsetBytes` of the first one on. */
export function vecsOfPages(pages: readonly Page[], offsetBytes = 0): BioVec[] {
  return pages.map((page, index) => {
    const offset = index === 0 ? offsetBytes : 0;
    return { page, offset, length: page.bytes.length - offset };
  });
}
