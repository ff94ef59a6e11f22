import type { Extent } from "@blkstack/block";
import { ArrayDevice } from "./array-device.ts";

const HOLE_AND_ZERO = 3;

/** A disk in which holes and data take turns, each so many sectors long. */
export class HoleyDevice extends ArrayDevice {
  readonly #runSectors: number;

  constructor(sizeBytes: number, runSectors: number) {
    super(sizeBytes);
    this.#runSectors = runSectors;
  }

  findExtent(sector: number, extent: Extent): void {
    const run = this.#runSectors;
    extent.sectors = Math.min(extent.sectors, run - (sector % run));
    extent.flags = Math.floor(sector / run) % 2 === 0 ? HOLE_AND_ZERO : 0;
    extent.layer = 0;
  }
}
