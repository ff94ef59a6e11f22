import { BioOp } from "@blkstack/bio";
import type { SnapshotPolicies } from "@blkstack/dm-snapshot";
import type { Expectation, Scenario } from "@blkstack/explorer";
import { TODAY } from "../dm/columns.ts";
import { SnapshotStack } from "../dm/snapshot-stack.ts";
import { scenarioOf, type Story } from "../story.ts";

const TABLE = "0 8 snapshot sda sdb N 8";

/** A snapshot gets another table while its origin is written: the exceptions go over to the new one. */
export const handover: Scenario = scenarioOf(
  "handover",
  "the exceptions of a snapshot go over to its next table while a chunk of the origin is copied",
  {
    still: handing({}, "ok", "the origin is suspended, and what is under way has ended before"),
    live: handing(
      { activation: "live" },
      "STALL",
      "nobody waits for the copy, and its end finds no store: who wrote, and who goes, wait for ever",
    ),
  },
);

function handing(policies: Partial<SnapshotPolicies>, expect: Expectation, summary: string): Story {
  return {
    expect,
    summary,
    strategy: "dpor",
    async build(world) {
      const stack = new SnapshotStack(world, TODAY, policies);
      const { setting } = stack;
      const { dm } = setting;
      setting.watchedDisk("sda");
      setting.watchedDisk("sdb");
      const snap = await setting.createChanging("snap", TABLE);
      const origin = await setting.createChanging("origin", "0 8 snapshot-origin sda");
      await setting.loadEarly("snap", TABLE);
      const write = setting.bio({ device: origin, op: BioOp.Write, sector: 0, sectors: 8 });
      write.bytes.fill(1);
      const read = setting.bio({ device: snap, op: BioOp.Read, sector: 0, sectors: 8 });
      world.spawn("writer", (task) => write.submit(task));
      world.spawn("administrator", async (task) => {
        await dm.suspend("snap", task);
        await dm.resume("snap", task);
        await write.wait(task);
        await read.submit(task);
      });
      world.atEnd(() =>
        read.bytes.every((byte) => byte === 0) ? [] : ["the snapshot shows what came after it"],
      );
    },
  };
}
