import { BioList } from "@blkstack/bio";
import type { Awaitable, BioLists, Task } from "@blkstack/task";
import type { Rescuer } from "./rescuer.ts";

/**
 * What a set with a rescuer does about bios that are parked on the task that wants to wait for it.
 * `rescueBoth` is right; the others are history, or the beginnings of experiments.
 */
export interface RescuePolicy {
  /** Whether waiting could hold up parked bios, so that an allocation must first try without. */
  triesWithoutWaiting(lists: BioLists): boolean;
  /**
   * Hands parked bios to the rescuer, after the try failed and before the wait.
   *
   * Waits: for its turn to run only.
   */
  punt(rescuer: Rescuer, lists: BioLists, task: Task): Awaitable<void>;
  /** Whether a bio that cannot be had without waiting is punted and waited for, or given up. */
  readonly puntsForBios: boolean;
  /** The same for the table of vectors, when the bio is there already. */
  readonly puntsForVecs: boolean;
}

/** Waits with bios parked. Safe only where each bio is on its way before the next is allocated. */
export const rescueNone: RescuePolicy = {
  triesWithoutWaiting: () => false,
  punt: () => undefined,
  puntsForBios: false,
  puntsForVecs: false,
};

/** Sees only what the driver call in progress has submitted: right while there was one list. */
export const rescueCurrent: RescuePolicy = {
  triesWithoutWaiting: (lists) => !lists.current.isEmpty,
  punt(rescuer, lists, task) {
    const own = new BioList();
    takeOwn(lists.current, rescuer, own);
    return rescuer.rescue(own, task);
  },
  puntsForBios: true,
  puntsForVecs: true,
};

/** Sees both lists. */
export const rescueBoth: RescuePolicy = {
  triesWithoutWaiting: (lists) => !lists.isEmpty,
  punt(rescuer, lists, task) {
    const own = new BioList();
    takeOwn(lists.current, rescuer, own);
    takeOwn(lists.older, rescuer, own);
    return rescuer.rescue(own, task);
  },
  puntsForBios: true,
  puntsForVecs: true,
};

/**
 * Moves the bios of the rescuer's own set from `list` to the end of `own`; both keep their order.
 *
 * The others stay: they come from the level above and are addressed to our own driver. Submitted
 * by our rescuer they would allocate from our set, in the one task that can refill it.
 */
export function takeOwn(list: BioList, rescuer: Rescuer, own: BioList): void {
  for (let left = list.size; left > 0; left -= 1) {
    const bio = list.pop();
    if (bio !== null) (bio.pool === rescuer.set ? own : list).add(bio);
  }
}
