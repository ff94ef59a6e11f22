import { BioList } from "@blkstack/bio";
import { deviceOf } from "@blkstack/block";
import type { Scenario, World } from "@blkstack/explorer";
import type { SubmitOrder } from "@blkstack/make-request";
import { columnStories } from "../dm/column-stories.ts";
import { type Column, COLUMNS } from "../dm/columns.ts";
import { SnapshotStack } from "../dm/snapshot-stack.ts";
import { scenarioOf } from "../story.ts";

/** The order of `lowerFirst` with its halves exchanged. */
const sameFirst: SubmitOrder = {
  name: "sameFirst",
  arrange({ current, older }, queue) {
    const [same, lower] = [new BioList(), new BioList()];
    for (let bio = current.pop(); bio !== null; bio = current.pop()) {
      (deviceOf(bio).queue === queue ? same : lower).add(bio);
    }
    for (const list of [same, lower, older]) current.mergeInit(list);
  },
};

/** The snapshot comes first: its piece is started first too, and never parked behind the other. */
export const snapshotAndLinear: Scenario = scenarioOf(
  "snapshot-and-linear",
  "a read over a snapshot, and then over a device that needs the snapshot's lock",
  {
    ...columnStories(build, []),
    "same-device-first": {
      expect: "DEADLOCK",
      summary: "M8: what goes back to its own device overtakes what went further down",
      strategy: "dpor",
      build: (world) => build(world, { ...COLUMNS["front-clone"], submitOrder: sameFirst }),
    },
  },
);

async function build(world: World, column: Column): Promise<void> {
  const stack = new SnapshotStack(world, column);
  await stack.create("X", "0 16 locked sdc 0");
  const lines = ["0 8 snapshot sda sdb N 8", "8 8 linear X 8"];
  const top = await stack.create("top", ...lines);
  const origin = await stack.create("origin", "0 16 snapshot-origin sda");
  stack.spawnReader(top, 16);
  stack.spawnWriter(origin, 0);
}
