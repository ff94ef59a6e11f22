import type { Scenario } from "@blkstack/explorer";
import { columnStories } from "../dm/column-stories.ts";
import { SnapshotStack } from "../dm/snapshot-stack.ts";
import { scenarioOf } from "../story.ts";

/** The snapshot comes first: its piece is started first too, and never parked behind the other. */
export const snapshotAndLinear: Scenario = scenarioOf(
  "snapshot-and-linear",
  "a read over a snapshot, and then over a device that needs the snapshot's lock",
  columnStories(async (world, column) => {
    const stack = new SnapshotStack(world, column);
    await stack.create("X", "0 16 locked sdc 0");
    const lines = ["0 8 snapshot sda sdb N 8", "8 8 linear X 8"];
    const top = await stack.create("top", ...lines);
    const origin = await stack.create("origin", "0 16 snapshot-origin sda");
    stack.spawnReader(top, 16);
    stack.spawnWriter(origin, 0);
  }, []),
);
