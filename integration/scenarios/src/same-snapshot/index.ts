import { offloadBoth } from "@blkstack/device-mapper";
import type { Scenario, World } from "@blkstack/explorer";
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
  },
);

async function build(world: World, column: Column): Promise<void> {
  const stack = new SnapshotStack(world, column);
  const snap = await stack.create("snap", "0 16 snapshot sda sdb N 8");
  const origin = await stack.create("origin", "0 16 snapshot-origin sda");
  stack.spawnReader(snap, 16);
  stack.spawnWriter(origin, 0);
}
