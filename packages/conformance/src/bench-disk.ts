import { type Bio, opName, SECTOR_BYTES } from "@blkstack/bio";
import type { QueueLimits } from "@blkstack/block";
import { RamDisk } from "@blkstack/disk-ram";
import type { Scheduler } from "@blkstack/task";
import { firstBytes, type Range } from "./sent-bio.ts";

export interface BenchDiskOptions {
  readonly name: string;
  /** What tables of a running device call it: `7:0`. */
  readonly deviceNumber: string;
  readonly sizeSectors: number;
  readonly scheduler: Scheduler;
  /** What differs from the limits of memory. */
  readonly limits?: Partial<QueueLimits>;
}

/** A disk in memory, with a cache that wants flushes, that writes down what comes. */
export class BenchDisk extends RamDisk {
  readonly deviceNumber: string;
  /** `READ 57+3`: op, first sector, sectors. */
  readonly log: string[] = [];

  constructor({ name, deviceNumber, sizeSectors, scheduler, limits = {} }: BenchDiskOptions) {
    super({ name, sizeSectors, scheduler, limits, hasVolatileCache: true });
    this.deviceNumber = deviceNumber;
  }

  override submitBio(bio: Bio): void {
    this.log.push(`${opName(bio.op)} ${String(bio.sector)}+${String(bio.sectors)}`);
    super.submitBio(bio);
  }

  /** The first byte of each sector. */
  firstBytes({ sector, sectors }: Range): number[] {
    const bytes = new Uint8Array(sectors * SECTOR_BYTES);
    this.peek(sector, bytes);
    return firstBytes(bytes);
  }
}
