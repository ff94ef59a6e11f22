import { type BioSetOptions, rescueCurrent } from "@blkstack/bio-set";
import { failsAt } from "@blkstack/memory";
import type { Variant, World } from "@blkstack/explorer";
import { closing } from "./closing.ts";
import { memoryRunsOut } from "../memory-runs-out.ts";
import * as mutants from "./mutants.ts";
import { oneLevel, type OneLevel, secondMempool } from "./one-level.ts";
import { sameModule, sharedRescuer, sharedSet, twoLevels, withoutWorkers } from "./two-levels.ts";

/** One variant and how its stack is built. */
export interface Story extends Variant {
  build(world: World): void;
}

export const STORIES: Readonly<Record<string, Story>> = {
  "no-rescuer": {
    expect: "DEADLOCK",
    summary: "one bio in reserve, a driver that needs two: the first is parked behind the second",
    build: (world) => {
      oneLevel(world, { writers: 1, set: { rescuer: false } });
    },
  },
  rescuer: {
    expect: "ok",
    summary: "the fix: try without waiting, hand the parked bio to the rescuer, then wait",
    build: (world) => {
      oneLevel(world, { writers: 1 });
    },
  },
  "retry-timer": {
    expect: "DEADLOCK",
    summary:
      "the pool asks for memory every 5 s and a patrol looks every second: nothing stands still",
    build: (world) => {
      oneLevel(world, { writers: 1, set: { rescuer: false }, patrolRounds: 12 });
    },
  },
  "retry-timer-rescuer": {
    expect: "ok",
    summary: "the same with the rescuer: nobody has to ask again",
    build: (world) => {
      oneLevel(world, { writers: 1, patrolRounds: 12 });
    },
  },
  "two-tasks-no-rescuer": {
    expect: "DEADLOCK",
    summary: "two bios in reserve, two tasks: each has one and waits for another",
    build: (world) => {
      oneLevel(world, { writers: 2, set: { rescuer: false } });
    },
  },
  "two-tasks-rescuer": {
    expect: "ok",
    summary: "the same with the rescuer",
    dedupe: "states",
    build: (world) => {
      oneLevel(world, { writers: 2 });
    },
  },
  "memory-ends-no-rescuer": {
    expect: "DEADLOCK",
    summary: "memory runs out at an attempt of the search's choosing, and there is no rescuer",
    build: (world) => {
      oneLevel(world, { writers: 1, set: { rescuer: false }, memory: memoryRunsOut(world) });
    },
  },
  "memory-ends": {
    expect: "ok",
    summary: "the same with the rescuer: whenever memory ends, all bios come back",
    build: (world) => {
      oneLevel(world, { writers: 1, memory: memoryRunsOut(world) });
    },
  },
  "vecs-no-second-punt": {
    expect: "BUG",
    summary: "M3a: bios enough, vectors for one; nobody is rescued before the wait for vectors",
    build: (world) => {
      oneLevel(world, { writers: 1, ...withVectors({ rescue: mutants.noSecondPunt }) });
    },
  },
  "vecs-rescuer": {
    expect: "ok",
    summary: "the same with both places where parked bios are rescued",
    build: (world) => {
      oneLevel(world, { writers: 1, ...withVectors({}) });
    },
  },
  "vecs-leak": {
    expect: "LEAK",
    summary: "M3b: a bio that could not have its vectors never goes back to the pool",
    build: (world) => {
      const wishes = withVectors({}, true);
      oneLevel(world, { writers: 1, ...wishes, Kind: mutants.LeakingBioSet });
    },
  },
  "vecs-no-wait": {
    expect: "ok",
    summary: "the same driver, which first asks without waiting, and a set that forgets nothing",
    build: (world) => {
      oneLevel(world, { writers: 1, ...withVectors({}, true) });
    },
  },
  "inverted-test": {
    expect: "DEADLOCK",
    summary: "M1a: the mask is lowered when nothing is parked, and not when something is",
    build: (world) => {
      oneLevel(world, { writers: 1, set: { rescue: mutants.invertedTest } });
    },
  },
  "never-punts": {
    expect: "BUG",
    summary: "M1b: tries without waiting, and gives up when that fails",
    build: (world) => {
      oneLevel(world, { writers: 1, set: { rescue: mutants.neverPunts } });
    },
  },
  "queues-before-appending": {
    expect: "STALL",
    summary: "M2: the rescuer is called before its list is filled, and finds nothing",
    build: (world) => {
      oneLevel(world, { writers: 1, set: { rescue: mutants.queuesBeforeAppending } });
    },
  },
  "punt-everything": {
    expect: "DEADLOCK",
    summary: "M4: also bios of the level above are punted, and the rescuer waits for its own list",
    dedupe: "states",
    build: (world) => {
      twoLevels(world, { upperReserve: 2, lower: { rescue: mutants.puntsEverything } });
    },
  },
  "punt-everything-one-list": {
    expect: "DEADLOCK",
    summary: "M4 as of 2012, when a task had one list",
    dedupe: "states",
    build: (world) => {
      const lower = { rescue: mutants.puntsEverything };
      twoLevels(world, { upperReserve: 2, lower, way: { lists: "single" } });
    },
  },
  "two-levels": {
    expect: "ok",
    summary: "two levels, and only bios of one's own set are punted",
    dedupe: "states",
    build: (world) => {
      twoLevels(world, { upperReserve: 2 });
    },
  },
  "two-levels-one-list": {
    expect: "ok",
    summary: "the same with one list, in which the upper level's bio lies among ours",
    dedupe: "states",
    build: (world) => {
      twoLevels(world, { upperReserve: 2, way: { lists: "single" } });
    },
  },
  "shared-rescuer": {
    expect: "DEADLOCK",
    summary:
      "M5a: one rescue queue for both levels; the lower level's bio stands behind its waiter",
    dedupe: "states",
    build: sharedRescuer,
  },
  "rescuer-without-guarantee": {
    expect: "STALL",
    summary:
      "M5b: rescue queues without a guarantee never run, for there is no memory for a worker",
    dedupe: "states",
    build: (world) => {
      withoutWorkers(world, false);
    },
  },
  "memory-exhausted": {
    expect: "ok",
    summary: "the same with the guarantee, one queue for each set",
    dedupe: "states",
    build: (world) => {
      withoutWorkers(world, true);
    },
  },
  "shared-set": {
    expect: "DEADLOCK",
    summary: "M5c: one set for both levels deadlocks even with a rescuer",
    dedupe: "states",
    build: sharedSet,
  },
  "pools-first": {
    expect: "USE_AFTER_FREE",
    summary: "M6: the pools are destroyed before the rescuer has emptied its list",
    build: (world) => {
      closing(world, mutants.PoolsFirstBioSet);
    },
  },
  "rescuer-first": {
    expect: "ok",
    summary: "the same in the right order",
    build: (world) => {
      closing(world);
    },
  },
  "only-list0": {
    expect: "DEADLOCK",
    summary: "M7: only bio_list[0] is looked at; the bio that matters is in bio_list[1]",
    build: (world) => {
      sameModule(world, { rescue: rescueCurrent });
    },
  },
  "both-lists": {
    expect: "ok",
    summary: "the same with both lists",
    dedupe: "states",
    build: (world) => {
      sameModule(world, {});
    },
  },
  "second-mempool": {
    expect: "DEADLOCK",
    summary:
      "row 8: the rescuer knows nothing of a driver's other pools; keep such data in the pad",
    build: secondMempool,
  },
};

/** Each piece with 32 vectors of its own: memory has bios enough, but the last table in reserve. */
function withVectors(
  set: Partial<BioSetOptions>,
  triesNoWait = false,
): Pick<OneLevel, "set" | "driver" | "memory"> {
  const tables = [16, 64, 128, 256].map((vecs) => `bvec-${String(vecs)} of md0-split`);
  return {
    set: { needBvecs: true, ...set },
    driver: { vecCount: 32, triesNoWait },
    memory: failsAt(tables),
  };
}
