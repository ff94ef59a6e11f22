import { BioSet } from "@blkstack/bio-set";
import type { Submitter } from "@blkstack/block";
import type { Memory } from "@blkstack/memory";
import { type Scheduler, type Task } from "@blkstack/task";
import { DmIo } from "./dm-io.ts";
import type { FanOutPolicy } from "./fan-out-policy.ts";
import type { Table } from "./table.ts";
import { TargetIo } from "./target-io.ts";

export interface BioPoolsOptions {
  readonly scheduler: Scheduler;
  readonly submitter: Submitter;
  readonly memory: Memory;
  /** Bios that each pool has in reserve. */
  readonly poolSize: number;
  /** Bios that there are in reserve for cutting. */
  readonly splitPoolSize: number;
  /** Whether bios that wait on a sleeping task may be taken away from it. */
  readonly isRescued: boolean;
  readonly fanOut: FanOutPolicy;
}

/** Where one table's bios come from: one set for each thing that must not run dry for another. */
export class BioPools {
  /** Accounts, each with its first clone: one allocation. */
  readonly ios: BioSet;
  /** The clones after the first. */
  readonly clones: BioSet;
  /** What is cut off. */
  readonly splits: BioSet;

  /** Throws a BlockError (ENOMEM) when there is no memory for all the reserves; then it keeps none. */
  constructor(deviceName: string, table: Table, options: BioPoolsOptions) {
    const { scheduler, memory, submitter, poolSize, splitPoolSize, isRescued, fanOut } = options;
    const shared = { scheduler, memory, submitter, poolSize };
    this.splits = new BioSet({ ...shared, name: `${deviceName}-split`, poolSize: splitPoolSize });
    try {
      this.ios = new BioSet({
        ...shared,
        name: `${deviceName}-io`,
        frontPad: () => new TargetIo(new DmIo(), table.createPerBioData()),
        rescuer: isRescued,
      });
    } catch (error) {
      this.splits.bioPool.destroy();
      throw error;
    }
    try {
      // A flush fans out to several devices from one call, so its later clones may have to wait for
      // its earlier ones to end, which only a rescuer can start meanwhile.
      this.clones = new BioSet({
        ...shared,
        poolSize: fanOut.reserve(poolSize, table.mostClones),
        name: `${deviceName}-clone`,
        frontPad: () => new TargetIo(null, table.createPerBioData()),
        rescuer: true,
      });
    } catch (error) {
      this.splits.bioPool.destroy();
      this.ios.bioPool.destroy();
      throw error;
    }
  }

  /** How many bios are in use. */
  get liveCount(): number {
    const sets = [this.ios, this.clones, this.splits];
    return sets.reduce((sum, { bioPool }) => sum + bioPool.liveCount, 0);
  }

  /** Waits: until the rescuers are done. */
  async destroy(task: Task): Promise<void> {
    for (const set of [this.ios, this.clones, this.splits]) await set.destroy(task);
  }
}
