import { type Bio, BioOp, type BioFlags, type BioStatus } from "@blkstack/bio";
import type { BlockDevice } from "@blkstack/block";
import { planBio } from "@blkstack/block/testing";
import { RamDisk } from "@blkstack/disk-ram";
import { MakeRequest, SplitSetPerDevice, submitAndWait } from "@blkstack/make-request";
import { Memory } from "@blkstack/memory";
import type { Scheduler, Task } from "@blkstack/task";
import { DeviceFile, LoopDevice, type LoopBinding, type LoopDeviceOptions } from "../src/index.ts";

/** Everything that a loop device stands on and is reached through. */
export class Setting {
  readonly scheduler: Scheduler;
  readonly memory: Memory;
  readonly submitter: MakeRequest;

  constructor(scheduler: Scheduler) {
    this.scheduler = scheduler;
    this.memory = new Memory({ scheduler });
    const split = new SplitSetPerDevice({ scheduler, memory: this.memory });
    this.submitter = new MakeRequest({ split });
  }

  loop(options: Partial<LoopDeviceOptions> = {}): LoopDevice {
    return new LoopDevice({ name: "loop0", scheduler: this.scheduler, ...options });
  }

  async bound(
    binding: LoopBinding,
    task: Task,
    options: Partial<LoopDeviceOptions> = {},
  ): Promise<LoopDevice> {
    const loop = this.loop(options);
    await loop.bind(binding, task);
    return loop;
  }

  disk(name: string, sizeSectors: number): RamDisk {
    return new RamDisk({ name, sizeSectors, scheduler: this.scheduler });
  }

  fileOf(device: BlockDevice): DeviceFile {
    const { scheduler, memory, submitter } = this;
    return new DeviceFile({ device, scheduler, memory, submitter });
  }

  /** Waits: until the bio has ended. */
  async run(device: BlockDevice, bio: Bio, task: Task): Promise<BioStatus> {
    bio.device = device;
    return submitAndWait(this.submitter, bio, task);
  }
}

/** An empty flush. */
export function flushBio(flags: BioFlags): Bio {
  return planBio({ op: BioOp.Write, sector: 0, sectors: 0, flags });
}
