import { BioOp } from "@blkstack/bio";
import { TargetRig } from "@blkstack/conformance";
import { defineScenario, type Scenario } from "@blkstack/explorer";
import { exampleTarget } from "./example-target.ts";

/** Somebody writes, and somebody else suspends the device meanwhile. */
export const exampleTargetInUse: Scenario = defineScenario({
  name: "example-target-in-use",
  summary: "a write through the target, while the device is suspended and resumed",
  variants: {
    "beside-a-suspend": { expect: "ok", summary: "everybody comes to an end", strategy: "dpor" },
  },
  build(world) {
    const rig = new TargetRig(world.scheduler, { types: [exampleTarget] });
    world.spawn("people", async (task) => {
      await rig.dm.create("md", task, { table: "0 64 example-target a 0" });
      world.spawn("writer", async (writer) => {
        await rig.send(rig.bio(BioOp.Write, { sector: 0, sectors: 8 }), writer);
      });
      await rig.dm.suspend("md", task);
      await rig.dm.resume("md", task);
    });
  },
});
