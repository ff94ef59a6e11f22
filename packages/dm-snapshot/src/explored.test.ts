import { BioOp, BioStatus } from "@blkstack/bio";
import { assertNothingFound, defineScenario, explore } from "@blkstack/explorer";
import type { Task } from "@blkstack/task";
import { it } from "vitest";
import { fillOf, Rig } from "../test/rig.ts";

const OLD = 0xaa;
const NEW = 0xbb;
const OWN = 0xcc;
const CHUNK = { sector: 0, sectors: 8 };

/** An origin of one chunk that is written while somebody does something with its snapshot. */
const scenario = defineScenario({
  name: "one-chunk",
  summary: "an origin of one chunk is written while its snapshot is used",
  variants: {
    read: { expect: "ok", summary: "the snapshot is read" },
    write: { expect: "ok", summary: "the snapshot is written" },
    remove: { expect: "ok", summary: "the snapshot is removed" },
  },
  build(world, variant) {
    const rig = new Rig(world.scheduler);
    const origin = rig.disk("origin", 8);
    origin.bytes.fill(OLD);
    rig.disk("cow", 64);
    const problems: string[] = [];
    const send = async (name: string, op: BioOp, byte: number, task: Task) => {
      const sent = rig.bio(rig.dm.get(name), op, CHUNK, byte);
      const status = await rig.send(sent, task);
      if (status !== BioStatus.Ok) problems.push(`${sent.bio.toString()}: ${String(status)}`);
      return fillOf(sent)[0];
    };
    world.spawn("people", async (task) => {
      await rig.dm.create("o", task, { table: "0 8 snapshot-origin origin" });
      await rig.dm.create("s", task, { table: "0 8 snapshot origin cow N 8" });
      world.spawn("writer", async (by) => {
        await send("o", BioOp.Write, NEW, by);
      });
      if (variant === "remove") await rig.dm.remove("s", task);
      else if (variant === "write") await send("s", BioOp.Write, OWN, task);
      else if ((await send("s", BioOp.Read, 0, task)) !== OLD) problems.push("read what is new");
    });
    world.atEnd(() => {
      if (origin.at(0) !== NEW) problems.push("the origin was not written");
      return problems;
    });
  },
});

it.each(["read", "write", "remove"])(
  "an origin is written while its snapshot is used (%s): well, under 300 schedules of many",
  async (variant) => {
    assertNothingFound(await explore(scenario, variant, { strategy: "random", executions: 300 }));
  },
);
