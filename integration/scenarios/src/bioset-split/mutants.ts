// Sets that are wrong on purpose, behind the same extension points that everybody has.
import { BioList } from "@blkstack/bio";
import { BioSet, type PooledBio, rescueBoth, type RescuePolicy, takeOwn } from "@blkstack/bio-set";
import type { Awaitable, Task } from "@blkstack/task";

/** M1a: lowers the mask when there is nothing to rescue, and does not when there is. */
export const invertedTest: RescuePolicy = {
  ...rescueBoth,
  triesWithoutWaiting: (lists) => lists.isEmpty,
};

/** M1b: tries without waiting, and gives up when that fails. */
export const neverPunts: RescuePolicy = { ...rescueBoth, puntsForBios: false };

/** M2: calls the rescuer first and fills its list afterwards. */
export const queuesBeforeAppending: RescuePolicy = {
  ...rescueBoth,
  punt(rescuer, lists, task) {
    const own = new BioList();
    takeOwn(lists.current, rescuer, own);
    takeOwn(lists.older, rescuer, own);
    rescuer.queue(task);
    return rescuer.append(own, task);
  },
};

/** M3a: forgets that there is a second place to wait in. */
export const noSecondPunt: RescuePolicy = { ...rescueBoth, puntsForVecs: false };

/** M4: hands over every parked bio, also those addressed to our own driver. */
export const puntsEverything: RescuePolicy = {
  ...rescueBoth,
  punt(rescuer, lists, task) {
    const all = new BioList();
    all.mergeInit(lists.current);
    all.mergeInit(lists.older);
    return rescuer.rescue(all, task);
  },
};

/** M3b: a bio that could not have its vectors is forgotten. */
export class LeakingBioSet extends BioSet {
  protected override giveUp(bio: PooledBio): void {
    // And so it never goes back to the pool.
    bio.allocatedBy = null;
  }
}

/** M6: takes the pools away from under the rescuer. */
export class PoolsFirstBioSet extends BioSet {
  override destroy(task: Task): Awaitable<void> {
    this.destroyPools();
    return this.stopRescuer(task);
  }
}
