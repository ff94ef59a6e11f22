import { AccessMode, WaitQueue } from "@blkstack/task";
import { describe, expect, it } from "vitest";
import { explore } from "../explore.ts";
import { replay } from "../replay.ts";
import type { StrategyName } from "../strategies/named.ts";
import { defineScenario, type Scenario, type World } from "../scenario.ts";

const { Read, Write } = AccessMode;

function scenario(build: (world: World) => void): Scenario {
  const variants = { only: { expect: "ok", summary: "the only one" } } as const;
  return defineScenario({ name: "test", summary: "a test", variants, build });
}

/** One looks until another, if there is one, has raised the flag. */
function spinners(count: number, hasSetter: boolean): Scenario {
  return scenario((world) => {
    const flag = world.cell("flag");
    for (let number = 1; number <= count; number += 1) {
      const spinner = async (task: Parameters<World["step"]>[0]): Promise<void> => {
        do await world.step(task, flag.use(Read, "look at"));
        while (flag.value === 0);
      };
      world.spawn(`spinner-${String(number)}`, spinner, { startsAtFirstStep: true });
    }
    if (!hasSetter) return;
    const setter = async (task: Parameters<World["step"]>[0]): Promise<void> => {
      await world.step(task, flag.use(Write, "raise"));
      flag.value = 1;
    };
    world.spawn("setter", setter, { startsAtFirstStep: true });
  });
}

/** Two meet at a door; each lets the other pass. `isPolite`: also the second one. */
function door(isPolite: boolean): Scenario {
  return scenario((world) => {
    const wants = [world.cell("wish of ann"), world.cell("wish of bea")];
    for (const [me, name] of ["ann", "bea"].entries()) {
      const [mine, other] = [wants[me], wants[1 - me]];
      if (mine === undefined || other === undefined) continue;
      world.spawn(name, async (task) => {
        for (;;) {
          await world.step(task, mine.use(Write, "state"));
          mine.value = 1;
          await world.step(task, other.use(Read, "look at"));
          if (other.value === 0 || (me === 1 && !isPolite)) break;
          await world.step(task, mine.use(Write, "withdraw"));
          mine.value = 0;
        }
        await world.step(task, mine.use(Write, "withdraw"));
        mine.value = 0;
      });
    }
  });
}

describe("a livelock", () => {
  it("is told as the steps that come again and again", async () => {
    const report = await explore(spinners(1, false), "only");
    expect(report.kind).toBe("LIVELOCK");
    expect(report.message).toMatch(/^spinner-1 gets nowhere: step \d+ again and again$/);
    expect(report.steps).toBeLessThan(1000);
    expect(report.story).not.toMatch(/\n *20 /);
  });

  it.each(["exhaustive", "dpor", "preemptions", "pct"] as const)(
    "is found by %s where two make way for each other for ever",
    async (strategy) => {
      const report = await explore(door(true), "only", {
        strategy,
        after: "first",
        lockdep: false,
      });
      expect(report.kind).toBe("LIVELOCK");
      expect(report.message).toMatch(/^(ann, bea|bea, ann) get nowhere: steps \d+-\d+ again/);
    },
  );

  it("fails again from its line", async () => {
    const report = await explore(door(true), "only", { after: "first" });
    const { report: again } = await replay(door(true), report.replayLine ?? "");
    expect(again.kind).toBe("LIVELOCK");
  });

  it("is none where one of the two insists", async () => {
    const report = await explore(door(false), "only", { dedupe: "states" });
    expect(report.verdict).toBe("proved");
  });

  it("is none where everybody waits for what a timer brings", async () => {
    const waiter = scenario((world) => {
      const [flag, queue] = [world.cell("flag"), new WaitQueue("alarm")];
      world.spawn("clock", async (task) => {
        await queue.sleep(task, 100);
        await world.step(task, flag.use(Write, "raise"));
        flag.value = 1;
      });
      world.spawn("spinner", async (task) => {
        do await world.step(task, flag.use(Read, "look at"));
        while (flag.value === 0);
      });
    });
    expect((await explore(waiter, "only")).verdict).toBe("proved");
  });

  it("is none where a counter of the task's own ends the loop", async () => {
    const counting = scenario((world) => {
      const flag = world.cell("flag");
      world.spawn("counter", async (task) => {
        for (let round = 0; round < 50; round += 1)
          await world.step(task, flag.use(Read, "look at"));
      });
    });
    expect((await explore(counting, "only")).verdict).toBe("proved");
  });

  it("is none where somebody tries again after a pause until it has tried often enough", async () => {
    const retrying = scenario((world) => {
      const [flag, queue] = [world.cell("flag"), new WaitQueue("pause")];
      world.spawn("retrier", async (task) => {
        for (let round = 0; round < 300; round += 1) {
          await world.step(task, flag.use(Read, "look at"));
          await queue.sleep(task, 1000);
        }
      });
    });
    expect((await explore(retrying, "only")).verdict).toBe("proved");
  });
});

describe("who looks again and again", () => {
  it.each<[StrategyName, number, number]>([
    ["exhaustive", 1, 13],
    ["dpor", 1, 13],
    ["preemptions", 1, 30],
    ["delays", 1, 30],
    ["dpor", 2, 200],
  ])(
    "is let look so often only, so that %s with %d of them ends",
    async (strategy, count, most) => {
      const options = { executions: 1000, strategy, lockdep: false };
      const report = await explore(spinners(count, true), "only", options);
      expect(report.kind).toBeNull();
      expect(report.endedBy).toBe("all-run");
      expect(report.runs).toBeLessThanOrEqual(most);
    },
  );

  it("is told of beside the proof", async () => {
    const report = await explore(spinners(1, true), "only");
    expect(report.loopingRuns).toBe(1);
    expect(report.story).toContain("who came back 8 times to where nothing had changed waited");
  });
});
