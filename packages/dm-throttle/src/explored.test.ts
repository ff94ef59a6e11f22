import { BioOp, BioStatus } from "@blkstack/bio";
import { TargetRig } from "@blkstack/conformance";
import { assertNothingFound, defineScenario, explore } from "@blkstack/explorer";
import { choosesFailures } from "@blkstack/memory";
import { Completion, type Task } from "@blkstack/task";
import { Throttle } from "@blkstack/throttle";
import { it } from "vitest";
import { throttle } from "./throttle-target.ts";

/** Three writes, of which a group has room for one, while people do something. */
const scenario = defineScenario({
  name: "throttled-bios",
  summary: "writes wait for their turn while people do something with the device",
  variants: {
    wait: { expect: "ok", summary: "nothing is done" },
    suspend: { expect: "ok", summary: "it is suspended and resumed" },
    raise: { expect: "ok", summary: "the limit is taken away" },
    starved: { expect: "ok", summary: "it is suspended and resumed, and two allocations fail" },
  },
  build(world, variant) {
    const owners: Throttle[] = [];
    const rig = new TargetRig(world.scheduler, {
      types: [throttle],
      sizeSectors: 8,
      services: (parts) => {
        const owner = new Throttle(parts);
        owner.addGroup("gold", { limits: { wiops: 10 } });
        owners.push(owner);
        return owners;
      },
    });
    const ended = new Completion("end of a bio", { scheduler: world.scheduler });
    const problems: string[] = [];
    let left = 3;
    const send = async (sector: number, task: Task): Promise<void> => {
      const sent = rig.bio(BioOp.Write, { sector, sectors: 1 }, { byte: 7 });
      const status = await rig.send(sent, task);
      if (status !== BioStatus.Ok) problems.push(`${sent.bio.toString()}: ${String(status)}`);
      left -= 1;
      ended.complete();
    };
    world.spawn("people", async (task) => {
      await rig.dm.create("md", task, { table: "0 8 throttle a 0 gold" });
      if (variant === "starved") rig.memory.faultPlan = choosesFailures(world.scheduler, 2);
      for (const sector of [0, 1, 2]) {
        world.spawn(`writer ${String(sector)}`, (self) => send(sector, self));
      }
      if (variant === "suspend" || variant === "starved") {
        await rig.dm.suspend("md", task);
        await rig.dm.resume("md", task);
      }
      if (variant === "raise") await rig.dm.message("md", 0, ["max", "wiops=max"], task);
      for (let count = 0; count < 3; count += 1) await ended.wait(task);
      await rig.dm.remove("md", task);
      for (const owner of owners) {
        if (owner.heldCount > 0) problems.push("some bios still wait");
        await owner.stop(task);
      }
    });
    world.atEnd(() => {
      if (left > 0) problems.push(`${String(left)} bios have not ended`);
      return problems;
    });
  },
});

it.each(["wait", "suspend", "raise", "starved"])(
  "bios that wait all end, whatever is done meanwhile and however late a timer fires (%s)",
  async (variant) => {
    const options = { strategy: "random", executions: 80, timers: "any-time" } as const;
    assertNothingFound(await explore(scenario, variant, options));
  },
);
