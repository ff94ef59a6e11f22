import type { World } from "@blkstack/explorer";
import type { FaultPlan } from "@blkstack/memory";
import { AccessMode } from "@blkstack/task";

const ASKING = {
  object: { label: "the end of memory" },
  mode: AccessMode.Write,
  label: "asks for memory",
};

/** Memory that is there until, at some attempt, it is not: which one is a choice of the search. */
export function memoryRunsOut(world: World): FaultPlan {
  let isGone = false;
  world.observe("memory", () => (isGone ? "none" : "some"));
  return {
    fails() {
      // Once it is gone it is gone for all: who asks first matters.
      world.scheduler.touch(ASKING);
      isGone ||= world.scheduler.choose("memory runs out", 2) === 1;
      return isGone;
    },
    isForGood: () => isGone,
  };
}
