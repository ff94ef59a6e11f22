import { loop, offloadBoth, type SplitPolicy } from "@blkstack/device-mapper";
import type { Scenario, World } from "@blkstack/explorer";
import { failsAt } from "@blkstack/memory";
import { Mutex, type Task } from "@blkstack/task";
import { columnStories } from "../dm/column-stories.ts";
import { type Column, COLUMNS } from "../dm/columns.ts";
import { SnapshotStack } from "../dm/snapshot-stack.ts";
import { scenarioOf } from "../story.ts";

const onlyForIo = {
  ...COLUMNS["loop-both"],
  offload: {
    name: "only-for-io",
    rescueParked(task: Task): void {
      if (!(task.waitingFor instanceof Mutex)) offloadBoth.rescueParked(task);
    },
  },
};

/** The first reports, of 2014: a read over two chunks of a snapshot, and a copy of the first. */
export const sameSnapshot: Scenario = scenarioOf(
  "same-snapshot",
  "the copy of a chunk waits for a read that is parked behind the lock that the copy holds",
  {
    ...columnStories(build, ["loop-none"]),
    "offload-for-io": {
      expect: "DEADLOCK",
      summary: "M1: parked bios are rescued when a map sleeps for I/O, and not for a mutex",
      strategy: "dpor",
      build: (world) => build(world, onlyForIo),
    },
    "offload-once-a-call": {
      expect: "DEADLOCK",
      summary: "M2: the one rescue of a call is spent while a clone is waited for",
      strategy: "pos",
      build: (world) => buildShortOfClones(world, onceACall()),
    },
  },
);

async function build(world: World, column: Column): Promise<void> {
  const stack = new SnapshotStack(world, column);
  const snap = await stack.create("snap", "0 16 snapshot sda sdb N 8");
  const origin = await stack.create("origin", "0 16 snapshot-origin sda");
  stack.spawnReader(snap, 16);
  stack.spawnWriter(origin, 0);
}

/** Registered before clones are asked for, and once for all pieces: a map that sleeps may be too late. */
function onceACall(): Column {
  const spent = new WeakSet<Task>();
  const rescueParked = (task: Task): void => {
    if (!spent.has(task)) offloadBoth.rescueParked(task);
    spent.add(task);
  };
  const splitPolicy: SplitPolicy = {
    ...loop,
    rest(mapper, io, bio, task) {
      spent.delete(task);
      task.sleepHook = rescueParked;
      return loop.rest(mapper, io, bio, task);
    },
  };
  const offload = { name: "once-a-call", rescueParked };
  return { ...COLUMNS["loop-both"], offload, splitPolicy };
}

/** Two clones in reserve, and no memory: the fourth of five pieces waits for a clone. */
async function buildShortOfClones(world: World, column: Column): Promise<void> {
  const stack = new SnapshotStack(world, column, {}, { poolSize: 2, isShortOfBios: true });
  stack.setting.promptDisks("sda", "sdb");
  const snap = await stack.create("snap", "0 40 snapshot sda sdb N 8");
  const origin = await stack.create("origin", "0 40 snapshot-origin sda");
  stack.setting.memory.faultPlan = failsAt(["bios of snap-clone"]);
  stack.spawnReader(snap, 40);
  stack.spawnWriter(origin, 24);
}
