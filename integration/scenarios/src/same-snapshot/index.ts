import type { Scenario } from "@blkstack/explorer";
import { columnStories } from "../dm/column-stories.ts";
import { SnapshotStack } from "../dm/snapshot-stack.ts";
import { scenarioOf } from "../story.ts";

/** The first reports, of 2014: a read over two chunks of a snapshot, and a copy of the first. */
export const sameSnapshot: Scenario = scenarioOf(
  "same-snapshot",
  "the copy of a chunk waits for a read that is parked behind the lock that the copy holds",
  columnStories(
    async (world, column) => {
      const stack = new SnapshotStack(world, column);
      const snap = await stack.create("snap", "0 16 snapshot sda sdb N 8");
      const origin = await stack.create("origin", "0 16 snapshot-origin sda");
      stack.spawnReader(snap, 16);
      stack.spawnWriter(origin, 0);
    },
    ["loop-none"],
  ),
);
