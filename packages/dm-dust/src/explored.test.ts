import { BioOp, BioStatus } from "@blkstack/bio";
import { TargetRig } from "@blkstack/conformance";
import { assertNothingFound, defineScenario, explore } from "@blkstack/explorer";
import { Completion, type Task } from "@blkstack/task";
import { it } from "vitest";
import { dust } from "./dust.ts";

/** A bad block that is written, read, and taken off the list by people, all at once. */
const scenario = defineScenario({
  name: "one-bad-block",
  summary: "a bad block is written and read while people take it off the list",
  variants: { all: { expect: "ok", summary: "all at once" } },
  build(world) {
    const rig = new TargetRig(world.scheduler, { types: [dust], sizeSectors: 8 });
    const done = new Completion("end of a bio", { scheduler: world.scheduler });
    const problems: string[] = [];
    let removals = 0;
    let isWritten = false;
    const send = async (op: BioOp, task: Task): Promise<void> => {
      const wasWritten = isWritten;
      const status = await rig.send(rig.bio(op, { sector: 3, sectors: 1 }, { byte: 7 }), task);
      if (op === BioOp.Write) {
        isWritten = true;
        if (status !== BioStatus.Ok) problems.push("the write failed");
      } else if (wasWritten && status !== BioStatus.Ok) {
        problems.push("a read failed although the block was written");
      }
      done.complete();
    };
    world.spawn("people", async (task) => {
      await rig.dm.create("md", task, { table: "0 8 dust a 0 512" });
      await rig.dm.message("md", 0, ["addbadblock", "3"], task);
      await rig.dm.message("md", 0, ["enable"], task);
      world.spawn("writer", (self) => send(BioOp.Write, self));
      world.spawn("reader", (self) => send(BioOp.Read, self));
      await rig.dm.message("md", 0, ["removebadblock", "3"], task).then(
        () => (removals += 1),
        () => undefined,
      );
      await done.wait(task);
      await done.wait(task);
      if (rig.lines.some((line) => line.includes("removed from badblocklist by write"))) {
        removals += 1;
      }
      const left = await rig.dm.message("md", 0, ["countbadblocks"], task);
      if (!left.includes(" 0 ")) problems.push(left);
    });
    world.atEnd(() => {
      if (removals !== 1) problems.push(`taken off the list ${String(removals)} times`);
      return problems;
    });
  },
});

it("it is taken off the list once, by whoever comes first, and a read after the write succeeds", async () => {
  assertNothingFound(await explore(scenario, "all", { strategy: "random", executions: 300 }));
});
