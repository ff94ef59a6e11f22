import { BioOp, BioStatus } from "@blkstack/bio";
import { TargetRig } from "@blkstack/conformance";
import { assertNothingFound, defineScenario, explore } from "@blkstack/explorer";
import { choosesFailures } from "@blkstack/memory";
import { Completion, type Task } from "@blkstack/task";
import { it } from "vitest";
import { delay } from "./delay.ts";

/** A read and a write that are held, while people suspend, resume or remove the device. */
const scenario = defineScenario({
  name: "held-bios",
  summary: "a read and a write are held back while people do something with the device",
  variants: {
    wait: { expect: "ok", summary: "nothing is done" },
    suspend: { expect: "ok", summary: "it is suspended and resumed" },
    remove: { expect: "ok", summary: "it is removed when one has ended" },
    starved: { expect: "ok", summary: "it is suspended and resumed, and two allocations fail" },
  },
  build(world, variant) {
    const rig = new TargetRig(world.scheduler, { types: [delay], sizeSectors: 8 });
    const ended = new Completion("end of a bio", { scheduler: world.scheduler });
    const problems: string[] = [];
    let left = 2;
    const send = async (op: BioOp, sector: number, task: Task): Promise<void> => {
      const sent = rig.bio(op, { sector, sectors: 1 }, { byte: 7 });
      const status = await rig.send(sent, task);
      if (status !== BioStatus.Ok) problems.push(`${sent.bio.toString()}: ${String(status)}`);
      left -= 1;
      ended.complete();
    };
    world.spawn("people", async (task) => {
      await rig.dm.create("md", task, { table: "0 8 delay a 0 30 a 0 20" });
      if (variant === "starved") rig.memory.faultPlan = choosesFailures(world.scheduler, 2);
      world.spawn("reader", (self) => send(BioOp.Read, 0, self));
      world.spawn("writer", (self) => send(BioOp.Write, 1, self));
      if (variant === "suspend" || variant === "starved") {
        await rig.dm.suspend("md", task);
        if (rig.dm.status("md").join() !== "0 8 delay 0 0 0") problems.push("some are held");
        await rig.dm.resume("md", task);
      }
      await ended.wait(task);
      if (variant !== "remove") await ended.wait(task);
      // The other one is held, or still on its way here: whoever removes a device waits for it, but
      // one that comes later finds no device.
      if (variant !== "remove" || rig.dm.status("md").join() !== "0 8 delay 0 0 0") {
        await rig.dm.remove("md", task);
      }
    });
    world.atEnd(() => {
      if (left > 0) problems.push(`${String(left)} bios have not ended`);
      return problems;
    });
  },
});

it.each(["wait", "suspend", "remove", "starved"])(
  "bios that are held all end, whatever is done meanwhile and however late a timer fires (%s)",
  async (variant) => {
    const options = { strategy: "random", executions: 300, timers: "any-time" } as const;
    assertNothingFound(await explore(scenario, variant, options));
  },
);
