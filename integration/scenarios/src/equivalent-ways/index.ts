import type { BioList } from "@blkstack/bio";
import { BioSet } from "@blkstack/bio-set";
import { type Offload, offloadBoth, offloadCurrent } from "@blkstack/device-mapper";
import type { Scenario } from "@blkstack/explorer";
import type { Task } from "@blkstack/task";
import { type Column, COLUMNS } from "../dm/columns.ts";
import { SnapshotStack } from "../dm/snapshot-stack.ts";
import { scenarioOf, type Story } from "../story.ts";

/** Older bios first: in which order they are handed over is no matter. */
const olderFirst: Offload = {
  name: "older-first",
  rescueParked(task) {
    task.sleepHook = null;
    if (task.bioLists === null) return;
    rescue(task.bioLists.older, task);
    rescue(task.bioLists.current, task);
  },
};

/** At each sleep of one map, not only at the first. */
const eachSleep: Offload = {
  name: "each-sleep",
  rescueParked(task) {
    const again = task.sleepHook;
    offloadBoth.rescueParked(task);
    task.sleepHook = again;
  },
};

/** What is done otherwise, and comes to the same: nobody may call it wrong. */
export const equivalentWays: Scenario = scenarioOf(
  "equivalent-ways",
  "a read over two chunks of a snapshot, of which one is being copied, in ways that all are well",
  {
    "older-first": reading(
      { ...COLUMNS["loop-both"], offload: olderFirst },
      "bios of the older list are rescued before those of the current one",
    ),
    "each-sleep": reading(
      { ...COLUMNS["loop-both"], offload: eachSleep },
      "what is parked is rescued whenever a map sleeps, not only the first time",
    ),
    "depth-first-and-offload": reading(
      { ...COLUMNS["front-clone"], offload: offloadBoth },
      "a piece at a time, and rescue from both lists besides",
    ),
    "unlocked-and-offload": reading(
      { ...COLUMNS["loop-unlocked"], offload: offloadCurrent },
      "copies wait for reads without the lock, and rescue besides",
    ),
    everything: reading(
      { ...COLUMNS["front-clone"], offload: olderFirst, wait: "unlocked" },
      "a piece at a time, rescue from both lists, and copies that wait without the lock",
    ),
  },
);

function reading(column: Column, summary: string): Story {
  return {
    expect: "ok",
    summary,
    strategy: "dpor",
    async build(world) {
      const stack = new SnapshotStack(world, column);
      const snap = await stack.create("snap", "0 16 snapshot sda sdb N 8");
      const origin = await stack.create("origin", "0 16 snapshot-origin sda");
      stack.spawnReader(snap, 16);
      stack.spawnWriter(origin, 0);
    },
  };
}

function rescue(list: BioList, task: Task): void {
  for (let left = list.size; left > 0; left -= 1) {
    const bio = list.pop();
    const rescuer = bio?.pool instanceof BioSet ? bio.pool.rescuer : null;
    if (bio === null) return;
    (rescuer?.list ?? list).add(bio);
    rescuer?.queue(task);
  }
}
