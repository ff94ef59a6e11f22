import { BioOp } from "@blkstack/bio";
import type { SnapshotPolicies } from "@blkstack/dm-snapshot";
import type { Expectation, Scenario } from "@blkstack/explorer";
import { TODAY } from "../dm/columns.ts";
import { SnapshotStack } from "../dm/snapshot-stack.ts";
import { prepareStore } from "../power-cut/cow-device.ts";
import { scenarioOf, type Story } from "../story.ts";

/** A snapshot is merged into its origin, of which there is another snapshot. */
export const mergeBesideSnapshot: Scenario = scenarioOf(
  "merge-beside-snapshot",
  "what a merge writes over in the origin is old data of another snapshot",
  {
    preserving: merging({}, "ok", "the other snapshot keeps it first"),
    regardless: merging(
      { mergePreserves: false },
      "WRONG",
      "as it once was: the other snapshot shows what was merged",
    ),
  },
);

function merging(policies: Partial<SnapshotPolicies>, expect: Expectation, summary: string): Story {
  return {
    expect,
    summary,
    strategy: "dpor",
    async build(world) {
      const stack = new SnapshotStack(world, TODAY, policies);
      const { setting } = stack;
      setting.watchedDisk("sda");
      prepareStore(setting.watchedDisk("sdb"), 8, [0]);
      setting.watchedDisk("sdc");
      const other = await stack.create("other", "0 8 snapshot sda sdc N 8");
      const read = setting.bio({ device: other, op: BioOp.Read, sector: 0, sectors: 8 });
      world.spawn("administrator", async (task) => {
        await setting.dm.create("merge", task, { table: "0 8 snapshot-merge sda sdb P 8" });
      });
      world.spawn("reader", (task) => read.submit(task));
      world.atEnd(() =>
        read.bytes.every((byte) => byte === 0) ? [] : ["another snapshot shows what was merged"],
      );
    },
  };
}
