import type { World } from "@blkstack/explorer";
import type { FaultPlan } from "@blkstack/memory";

/** Memory that is there until, at some attempt, it is not: which one is a choice of the search. */
export function memoryRunsOut(world: World): FaultPlan {
  let isGone = false;
  world.observe("memory", () => (isGone ? "none" : "some"));
  return {
    fails() {
      isGone ||= world.scheduler.choose("memory runs out", 2) === 1;
      return isGone;
    },
  };
}
