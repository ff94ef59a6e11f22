import { type Gfp, mayWait, type Scheduler } from "@blkstack/task";

/** Which attempts to get memory fail. One with a state of its own is good for one run only. */
export interface FaultPlan {
  /**
   * Whether this attempt fails. `site` is the label of the slab or page allocator that is asked;
   * `attempt` counts its attempts since the plan was put in force, from 1.
   */
  fails(site: string, gfp: Gfp, attempt: number): boolean;
  /**
   * Whether from now on every attempt of this site fails, and no other plan will be put in force
   * while somebody waits there. Default: false.
   */
  isForGood?(site: string): boolean;
}

export const noneFails: FaultPlan = { fails: () => false };

/** No memory at all: only reserves are left to live on. */
export const allFail: FaultPlan = { fails: () => true, isForGood: () => true };

/** Only who may wait gets memory: every first, hopeful attempt of a pool fails. */
export const failsWithoutWaiting: FaultPlan = { fails: (_site, gfp) => !mayWait(gfp) };

/** The `nth` attempt of every site fails, from 1; the others succeed. */
export function failsTheNth(nth: number): FaultPlan {
  return { fails: (_site, _gfp, attempt) => attempt === nth };
}

/** At the named sites `plan` decides, or everything fails; elsewhere nothing does. */
export function failsAt(sites: Iterable<string>, plan: FaultPlan = allFail): FaultPlan {
  const named = new Set(sites);
  return {
    fails: (site, gfp, attempt) => named.has(site) && plan.fails(site, gfp, attempt),
    isForGood: (site) => named.has(site) && plan.isForGood?.(site) === true,
  };
}

/** Leaves each attempt to the scheduler, until `budget` of them have failed. */
export function choosesFailures(scheduler: Scheduler, budget: number): FaultPlan {
  let left = budget;
  return {
    fails(site) {
      if (left === 0 || scheduler.choose(`memory for ${site}`, 2) === 0) return false;
      left -= 1;
      return true;
    },
  };
}
