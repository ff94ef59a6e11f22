import type { Scenario } from "@blkstack/explorer";
import { allFail } from "@blkstack/memory";
import { COLUMNS } from "../dm/columns.ts";
import { SnapshotStack } from "../dm/snapshot-stack.ts";
import { scenarioOf } from "../story.ts";

/** More chunks are written than there are pending exceptions, and there is no memory for more. */
export const pendingReserve: Scenario = scenarioOf(
  "pending-reserve",
  "two chunks of an origin are written, one pending exception is in reserve, and there is no memory",
  {
    "one-in-reserve": {
      expect: "ok",
      summary: "the second write waits until the first chunk is copied",
      strategy: "dpor",
      async build(world) {
        const policies = { pendingReserve: 1, wait: "unlocked" } as const;
        const stack = new SnapshotStack(world, COLUMNS["front-clone"], policies);
        stack.setting.promptDisks("sda", "sdb");
        await stack.create("snap", "0 16 snapshot sda sdb N 8");
        const origin = await stack.create("origin", "0 16 snapshot-origin sda");
        stack.setting.memory.faultPlan = allFail;
        stack.spawnWriter(origin, 0);
        stack.spawnWriter(origin, 8);
      },
    },
  },
);
