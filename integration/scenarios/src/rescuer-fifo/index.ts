import type { Scenario } from "@blkstack/explorer";
import { columnStories } from "../dm/column-stories.ts";
import { SnapshotStack } from "../dm/snapshot-stack.ts";
import { scenarioOf } from "../story.ts";

/** Rescue passes the wait on: the rescuer itself stands before the bio that must end. */
export const rescuerFifo: Scenario = scenarioOf(
  "rescuer-fifo",
  "two pieces need the lock and a third is tracked: the rescuer gets stuck on the second",
  columnStories(
    async (world, column) => {
      const stack = new SnapshotStack(world, column);
      await stack.create("X", "0 16 locked sdc 0");
      const lines = ["0 8 linear X 0", "8 8 linear X 8", "16 8 snapshot sda sdb N 8"];
      const top = await stack.create("top", ...lines);
      const origin = await stack.create("origin", "0 24 snapshot-origin sda");
      stack.spawnReader(top, 24);
      stack.spawnWriter(origin, 16);
    },
    ["loop-none", "loop-list0", "loop-both"],
  ),
);
