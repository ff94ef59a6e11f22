import { BioSet } from "@blkstack/bio-set";
import { type BlockDevice, BlockError } from "@blkstack/block";
import type { Memory } from "@blkstack/memory";
import type { Awaitable, Scheduler, Task } from "@blkstack/task";
import type { SplitSet } from "./limit-splitter.ts";

export interface SplitSetPerDeviceOptions {
  readonly scheduler: Scheduler;
  readonly memory: Memory;
  /** Fronts that each device can have live at once without memory; 2 unless told, at least 1. */
  readonly poolSize?: number;
}

/** Gives each device that cuts bios a set of its own: when it is added, else when it is first asked for. */
export class SplitSetPerDevice {
  readonly #options: SplitSetPerDeviceOptions;
  readonly #sets = new Map<BlockDevice, BioSet>();

  constructor(options: SplitSetPerDeviceOptions) {
    this.#options = options;
  }

  /** The set of a device; null if there is no memory left for a new one. Waits: never. */
  setOf(device: BlockDevice): SplitSet | null {
    return this.#sets.get(device) ?? this.#create(device);
  }

  /** Gives up the set of a device that has gone. No front of it may be live. Waits: never. */
  forget(device: BlockDevice, task: Task): Awaitable<void> {
    const set = this.#sets.get(device);
    this.#sets.delete(device);
    return set?.destroy(task);
  }

  #create(device: BlockDevice): BioSet | null {
    const { scheduler, memory, poolSize = 2 } = this.#options;
    try {
      const set = new BioSet({ name: `split of ${device.name}`, scheduler, memory, poolSize });
      this.#sets.set(device, set);
      return set;
    } catch (error) {
      if (error instanceof BlockError) return null;
      throw error;
    }
  }
}
