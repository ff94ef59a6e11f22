import { BioFlag, BioOp, BioStatus } from "@blkstack/bio";
import { assertNothingFound, defineScenario, explore, type World } from "@blkstack/explorer";
import { choosesFailures } from "@blkstack/memory";
import { Completion, type Task } from "@blkstack/task";
import { it } from "vitest";
import { linesOn } from "../test/log-of.ts";
import { TargetRig } from "@blkstack/conformance";
import { logWrites } from "./log-writes.ts";

/** Two who write, one of them with a flush behind it, over a disk and its log. */
function build(world: World, variant: string): void {
  const rig = new TargetRig(world.scheduler, {
    types: [logWrites],
    sizeSectors: 8,
    secondSectors: 64,
  });
  const done = new Completion("end of a writer", { scheduler: world.scheduler });
  const problems: string[] = [];
  /** What ended well, and what had before the flush was sent that ended well. */
  const ended: string[] = [];
  let beforeFlush: string[] = [];
  const write = async (sector: number, flags: number, task: Task): Promise<void> => {
    const sent = rig.bio(BioOp.Write, { sector, sectors: 1 }, { byte: sector, flags });
    const kind = flags === 0 ? "write" : "fua";
    if ((await rig.send(sent, task)) === BioStatus.Ok) ended.push(`${kind} ${String(sector)}`);
  };
  world.spawn("people", async (task) => {
    await rig.dm.create("md", task, { table: "0 8 log-writes a b" });
    if (variant === "starved") rig.memory.faultPlan = choosesFailures(world.scheduler, 2);
    world.spawn("first", async (self) => {
      await write(1, 0, self);
      const before = [...ended];
      const status = await rig.send(rig.bio(BioOp.Write, { sector: 0, sectors: 0 }), self);
      if (status === BioStatus.Ok) beforeFlush = before;
      done.complete();
    });
    world.spawn("second", async (self) => {
      await write(2, BioFlag.Fua, self);
      await write(3, 0, self);
      done.complete();
    });
    await done.wait(task);
    // A log that had to be given up takes no marks.
    if (variant === "marked")
      await rig.dm.message("md", 0, ["mark", "m"], task).catch(() => undefined);
    await done.wait(task);
    await rig.dm.remove("md", task);
  });
  world.atEnd(() => {
    if (rig.lines.length > 0) return problems;
    const lines = linesOn(rig.b);
    const flush = lines.indexOf("flush");
    for (const line of ended) if (!lines.includes(line)) problems.push(`${line} is not in the log`);
    for (const line of beforeFlush) {
      if (flush < lines.indexOf(line)) problems.push(`${line} stands behind the flush`);
    }
    if (lines.at(-1) !== "mark") problems.push(`the log ends with ${lines.at(-1) ?? "nothing"}`);
    return problems;
  });
}

const scenario = defineScenario({
  name: "logged-writes",
  summary: "three writes, one of them FUA, and a flush, over a disk whose writes are logged",
  variants: {
    plain: { expect: "ok", summary: "then the device is removed" },
    starved: { expect: "ok", summary: "and any two allocations fail" },
    marked: { expect: "ok", summary: "and somebody makes a mark meanwhile" },
  },
  build,
});

it.each(["plain", "marked"])(
  "what ended is in the log, what a flush found behind it before the flush (%s): 300 schedules",
  async (variant) => {
    assertNothingFound(await explore(scenario, variant, { strategy: "random", executions: 300 }));
  },
);

it("with any 2 allocations failing it is, or the log says that it was given up", async () => {
  assertNothingFound(await explore(scenario, "starved", { strategy: "random", executions: 400 }));
});

it("with an operation of either disk failing it is as well, and everybody comes to an end", async () => {
  const options = { strategy: "random", executions: 400, faults: { ioError: 1 } } as const;
  assertNothingFound(await explore(scenario, "marked", options));
});
