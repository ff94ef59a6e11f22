import { type Bio, bioEndio, type Sectors } from "@blkstack/bio";
import { type BlockDevice, type QueueLimits, RequestQueue } from "@blkstack/block";
import type { InterruptSource, Scheduler } from "@blkstack/task";
import { MEMORY_LIMITS } from "./limits.ts";

export interface NullDiskOptions {
  readonly name: string;
  readonly sizeSectors: Sectors;
  readonly scheduler: Scheduler;
  readonly limits?: Partial<QueueLimits>;
}

/** Ends every bio at once and moves no data: what is left to measure is everything else. */
export class NullDisk implements BlockDevice, InterruptSource<Bio> {
  readonly name: string;
  readonly label: string;
  readonly sizeSectors: Sectors;
  readonly isReadOnly = false;
  readonly queue: RequestQueue;
  readonly #scheduler: Scheduler;

  constructor({ name, sizeSectors, scheduler, limits }: NullDiskOptions) {
    this.name = name;
    this.label = `disk ${name}`;
    this.sizeSectors = sizeSectors;
    this.queue = new RequestQueue(name, { ...MEMORY_LIMITS, ...limits });
    this.#scheduler = scheduler;
  }

  /** Waits: never. */
  submitBio(bio: Bio): void {
    this.#scheduler.raise(this, bio);
  }

  handleInterrupt(bio: Bio): void {
    bioEndio(bio);
  }

  blockers(): readonly object[] {
    return [];
  }
}
