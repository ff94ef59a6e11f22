import type { Bio, BioStatus } from "@blkstack/bio";
import type { BlockDevice } from "@blkstack/block";
import { RamDisk } from "@blkstack/disk-ram";
import { MakeRequest, SplitSetPerDevice } from "@blkstack/make-request";
import { Memory } from "@blkstack/memory";
import type { Scheduler, Task } from "@blkstack/task";
import { DeviceFile, LoopDevice, type LoopBinding, type LoopDeviceOptions } from "../src/index.ts";
import { run } from "./bios.ts";

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

  run(device: BlockDevice, bio: Bio, task: Task): Promise<BioStatus> {
    return run(this.submitter, device, bio, task);
  }
}
