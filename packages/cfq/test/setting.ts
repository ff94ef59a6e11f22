import { Bio, type BioFlags, BioOp, type BioStatus } from "@blkstack/bio";
import type { BlockDevice } from "@blkstack/block";
import { MakeRequest, submitAndWait } from "@blkstack/make-request";
import { Memory, PerCpuAllocator } from "@blkstack/memory";
import type { Awaitable, Scheduler, Task } from "@blkstack/task";
import { type CfqClient, CfqQueue, type CfqQueueOptions } from "../src/index.ts";

/** What a queue stands on. */
export class Setting {
  readonly scheduler: Scheduler;
  readonly memory: Memory;
  readonly statsMemory: PerCpuAllocator;
  readonly submitter: MakeRequest = new MakeRequest();

  constructor(scheduler: Scheduler) {
    this.scheduler = scheduler;
    this.memory = new Memory({ scheduler });
    this.statsMemory = new PerCpuAllocator({ memory: this.memory, label: "statistics" });
  }

  createQueue(
    device: BlockDevice,
    task: Task,
    options: Partial<CfqQueueOptions> = {},
  ): Promise<CfqQueue> {
    const { scheduler, memory, statsMemory, submitter } = this;
    const parts = { name: "disk", device, scheduler, memory, statsMemory, submitter };
    return CfqQueue.create({ ...parts, ...options }, task);
  }

  /** Sends a bio and waits for its end. */
  io(
    client: CfqClient,
    task: Task,
    op: BioOp = BioOp.Read,
    flags: BioFlags = 0,
  ): Awaitable<BioStatus> {
    return submitAndWait(this.submitter, bioTo(client, op, flags), task);
  }
}

export function bioTo(device: BlockDevice, op: BioOp = BioOp.Read, flags: BioFlags = 0): Bio {
  const bio = new Bio();
  bio.device = device;
  bio.op = op;
  bio.flags = flags;
  bio.sizeBytes = 4096;
  const page = { bytes: new Uint8Array(4096), frame: 0 };
  bio.vecs = [{ page, offset: 0, length: 4096 }];
  bio.vecCount = 1;
  return bio;
}
