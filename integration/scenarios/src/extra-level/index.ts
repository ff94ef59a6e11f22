import type { Scenario } from "@blkstack/explorer";
import { columnStories } from "../dm/column-stories.ts";
import { SnapshotStack } from "../dm/snapshot-stack.ts";
import { scenarioOf } from "../story.ts";

/** What a piece has become two levels further down must come before the rest of its bio. */
export const extraLevel: Scenario = scenarioOf(
  "extra-level",
  "the lock is needed one level further down, where the rest of the bio may overtake",
  columnStories(
    async (world, column) => {
      const stack = new SnapshotStack(world, column);
      await stack.create("Y", "0 16 locked sdc 0");
      await stack.create("X", "0 16 linear Y 0");
      const lines = ["0 8 linear X 0", "8 8 snapshot sda sdb N 8"];
      const top = await stack.create("top", ...lines);
      const origin = await stack.create("origin", "0 16 snapshot-origin sda");
      stack.spawnReader(top, 16);
      stack.spawnWriter(origin, 8);
    },
    ["loop-none", "loop-list0", "front-clone-fifo"],
  ),
);
