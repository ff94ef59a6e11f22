import type { BioOp } from "@blkstack/bio";
import type { QueueLimits } from "@blkstack/block";
import type { Scheduler } from "@blkstack/task";
import { BenchDisk } from "./bench-disk.ts";
import { DiskRig, type DiskRigOptions } from "./disk-rig.ts";
import type { BioContents, Range, SentBio } from "./sent-bio.ts";

/** Sectors of each disk, unless told. */
const SIZE_SECTORS = 1000;

export interface TargetRigOptions extends DiskRigOptions {
  /** Of each of the two disks. Default: 1000. */
  readonly sizeSectors?: number;
  /** Of `b`, where it is of another size. */
  readonly secondSectors?: number;
  /** What differs on both disks from the limits of memory. */
  readonly limits?: Partial<QueueLimits>;
}

/** Two disks, `a` and `b`, a device mapper that knows some targets, and who sends bios to `md`. */
export class TargetRig<AScheduler extends Scheduler = Scheduler> extends DiskRig<AScheduler> {
  readonly a: BenchDisk;
  readonly b: BenchDisk;

  constructor(scheduler: AScheduler, options: TargetRigOptions) {
    super(scheduler, options);
    const { sizeSectors = SIZE_SECTORS, secondSectors = sizeSectors, limits = {} } = options;
    const both = { scheduler, limits };
    this.a = new BenchDisk({ ...both, name: "a", deviceNumber: "7:0", sizeSectors });
    this.b = new BenchDisk({
      ...both,
      name: "b",
      deviceNumber: "7:16",
      sizeSectors: secondSectors,
    });
    for (const disk of [this.a, this.b]) this.add(disk);
  }

  /** A bio for the device `md` that is not sent yet. */
  bio(op: BioOp, range: Range, contents?: BioContents): SentBio {
    return this.bioTo(this.dm.get("md"), op, range, contents);
  }
}
