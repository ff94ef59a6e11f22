import type { Scenario, World } from "@blkstack/explorer";
import { columnStories } from "../dm/column-stories.ts";
import type { Column } from "../dm/columns.ts";
import { SnapshotStack } from "../dm/snapshot-stack.ts";
import { scenarioOf } from "../story.ts";

/** A read over a device that needs the snapshot's lock, and over the snapshot itself. */
export const linearAndSnapshot: Scenario = scenarioOf(
  "linear-and-snapshot",
  "while the first piece waits for the lock, the second, tracked, is parked on the older list",
  columnStories(
    async (world, column) => {
      const stack = new SnapshotStack(world, column);
      await stack.create("X", "0 16 locked sdc 0");
      const lines = ["0 8 linear X 0", "8 8 snapshot sda sdb N 8"];
      const top = await stack.create("top", ...lines);
      const origin = await stack.create("origin", "0 16 snapshot-origin sda");
      stack.spawnReader(top, 16);
      stack.spawnWriter(origin, 8);
    },
    ["loop-none", "loop-list0"],
  ),
);

/** The same without a target that knows of the lock: a mutex stands between. */
export const linearAndSnapshotWithMutex: Scenario = scenarioOf(
  "linear-and-snapshot-mutex",
  "the first piece waits for a mutex, held by who writes to the origin, who waits for the lock",
  columnStories((world, column) => withMutex(world, column, "sdc"), ["loop-none", "loop-list0"]),
);

/** The mutex stands before the origin of the very snapshot: both are in one tree of devices. */
export const originInTheTree: Scenario = scenarioOf(
  "origin-in-the-tree",
  "a device whose first half is the origin of the snapshot that is its second half",
  columnStories(
    (world, column) => withMutex(world, column, "origin"),
    ["loop-none", "loop-list0"],
    ["loop-none", "loop-list0", "front-clone", "loop-unlocked"],
  ),
);

async function withMutex(world: World, column: Column, below: string): Promise<void> {
  const stack = new SnapshotStack(world, column);
  const origin = await stack.create("origin", "0 16 snapshot-origin sda");
  await stack.create("X", `0 16 guarded ${below} 0`);
  const top = await stack.create("top", "0 8 linear X 0", "8 8 snapshot sda sdb N 8");
  stack.spawnReader(top, 16);
  stack.spawnGuardedWriter(origin, 8);
}
