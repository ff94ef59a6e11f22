import { BioOp, SECTOR_BYTES } from "@blkstack/bio";
import type { SnapshotPolicies } from "@blkstack/dm-snapshot";
import type { Expectation, Scenario } from "@blkstack/explorer";
import { TODAY } from "../dm/columns.ts";
import { SnapshotStack } from "../dm/snapshot-stack.ts";
import { scenarioOf, type Story } from "../story.ts";

/** While one writer waits for memory, another one's exception for the same chunk is made and done. */
export const secondException: Scenario = scenarioOf(
  "second-exception",
  "two writers of one chunk of a snapshot, of which one is done while the other gets memory",
  {
    both: writing({}, "ok", "who had to let go of the lock looks in both tables again"),
    "pending-only": writing(
      { rechecks: "pending-only" },
      "WRONG",
      "only copies under way are looked for: the chunk gets a second exception, which nobody finds",
    ),
  },
);

function writing(policies: Partial<SnapshotPolicies>, expect: Expectation, summary: string): Story {
  return {
    expect,
    summary,
    strategy: "dpor",
    async build(world) {
      const stack = new SnapshotStack(world, TODAY, policies);
      const { setting } = stack;
      setting.watchedDisk("sda");
      setting.watchedDisk("sdb");
      const device = await stack.create("snap", "0 8 snapshot sda sdb N 8");
      const writes = [0, 1].map((sector) => {
        const write = setting.bio({ device, op: BioOp.Write, sector, sectors: 1 });
        write.bytes.fill(sector + 1);
        return write;
      });
      for (const [index, write] of writes.entries()) {
        world.spawn(`writer-${String(index + 1)}`, (task) => write.submit(task));
      }
      const read = setting.bio({ device, op: BioOp.Read, sector: 0, sectors: 2 });
      world.spawn("reader", async (task) => {
        for (const write of writes) await write.wait(task);
        await read.submit(task);
      });
      world.atEnd(() => {
        const found = [read.bytes[0], read.bytes[SECTOR_BYTES]];
        return found[0] === 1 && found[1] === 2 ? [] : ["a write to the snapshot is lost"];
      });
    },
  };
}
