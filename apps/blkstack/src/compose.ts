import { BioSet } from "@blkstack/bio-set";
import type { BlockDevice, Submitter, TargetType } from "@blkstack/block";
import { error } from "@blkstack/dm-error";
import { linear } from "@blkstack/dm-linear";
import { striped } from "@blkstack/dm-striped";
import { zero } from "@blkstack/dm-zero";
import { MakeRequest } from "@blkstack/make-request";
import { Memory } from "@blkstack/memory";
import { EventLoopScheduler } from "@blkstack/task/node";

/** The targets that tables may name. The one place that says which there are. */
export const TARGETS: readonly TargetType[] = [linear, striped, zero, error];

/** What the stacks of one process stand on. */
export interface Ground {
  readonly scheduler: EventLoopScheduler;
  readonly memory: Memory;
  readonly submitter: Submitter;
}

/** Fronts of cut bios in reserve, for each device: one is enough, another lets two go on at once. */
const SPLIT_RESERVE = 2;

export function makeGround(): Ground {
  const scheduler = new EventLoopScheduler();
  const memory = new Memory({ scheduler });
  const sets = new WeakMap<BlockDevice, BioSet>();
  // A set for each device, for what is cut on one level must not wait for what is cut above it.
  const setOf = (device: BlockDevice): BioSet => {
    let set = sets.get(device);
    if (set === undefined) {
      const name = `${device.name}-limits`;
      set = new BioSet({ name, scheduler, memory, poolSize: SPLIT_RESERVE });
      sets.set(device, set);
    }
    return set;
  };
  return { scheduler, memory, submitter: new MakeRequest({ split: { setOf } }) };
}
