import { BioOp, BioStatus } from "@blkstack/bio";
import { TargetRig } from "@blkstack/conformance";
import { assertNothingFound, defineScenario, explore } from "@blkstack/explorer";
import { choosesFailures } from "@blkstack/memory";
import type { Task } from "@blkstack/task";
import { it } from "vitest";
import { flakey } from "./flakey.ts";

/** Writes under way together, each with a byte that is to arrive changed. */
const scenario = defineScenario({
  name: "garbled-writes",
  summary: "three writes are under way together, and the first byte of each arrives changed",
  variants: {
    plain: { expect: "ok", summary: "there is memory" },
    starved: { expect: "ok", summary: "any three allocations fail" },
  },
  build(world, variant) {
    const rig = new TargetRig(world.scheduler, { types: [flakey], sizeSectors: 8 });
    const problems: string[] = [];
    const write = async (sector: number, task: Task): Promise<void> => {
      const sent = rig.bio(BioOp.Write, { sector, sectors: 1 }, { byte: sector + 1 });
      const status = await rig.send(sent, task);
      if (status !== BioStatus.Ok) problems.push(`${sent.bio.toString()}: ${String(status)}`);
      if (sent.bytes.some((byte) => byte !== sector + 1)) problems.push("the sender's memory");
    };
    world.spawn("people", async (task) => {
      await rig.dm.create("md", task, { table: "0 8 flakey a 0 0 1 5 corrupt_bio_byte 1 w 99 0" });
      if (variant === "starved") rig.memory.faultPlan = choosesFailures(world.scheduler, 3);
      for (const sector of [0, 2, 4])
        world.spawn(`writer ${String(sector)}`, (self) => write(sector, self));
    });
    world.atEnd(() => {
      const bytes = rig.a.firstBytes({ sector: 0, sectors: 6 }).join();
      if (bytes !== "99,0,99,0,99,0") problems.push(`on the disk: ${bytes}`);
      return problems;
    });
  },
});

it.each(["plain", "starved"])(
  "every write arrives changed, whichever ends first, and no sender's memory is (%s)",
  async (variant) => {
    const options = { strategy: "random", executions: 300 } as const;
    assertNothingFound(await explore(scenario, variant, options));
  },
);
