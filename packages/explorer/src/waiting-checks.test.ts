import { Bio } from "@blkstack/bio";
import { AccessMode, type InterruptSource, type Task, WaitQueue } from "@blkstack/task";
import { describe, expect, it } from "vitest";
import { CHECKS } from "./check.ts";
import { explore } from "./explore.ts";
import { hungTasks } from "./hung-tasks.ts";
import { defineScenario, type Scenario, type World } from "./scenario.ts";

function scenario(build: (world: World) => void): Scenario {
  const variants = { only: { expect: "ok", summary: "the only one" } } as const;
  return defineScenario({ name: "test", summary: "a test", variants, build });
}

/** `looksTwice`: whether the sleeper, once it is about to sleep, looks again in the same step. */
function doorbell(looksTwice: boolean): Scenario {
  return scenario((world) => {
    const bell = { label: "bell" };
    const queue = new WaitQueue("hall");
    let rings = 0;
    const isRung = (): boolean => rings > 0;
    const look = { object: bell, mode: AccessMode.Read, label: "look at the bell" };
    const ring = { object: bell, mode: AccessMode.Write, label: "ring the bell" };
    const pause = { object: queue, mode: AccessMode.Write, label: "go to the hall" };
    world.spawn("guest", async (task) => {
      await task.scheduler.mayPreempt(task, look);
      if (isRung()) return;
      await task.scheduler.mayPreempt(task, pause);
      if (looksTwice && isRung()) return;
      await queue.sleep(task);
    });
    world.spawn("porter", async (task) => {
      await task.scheduler.mayPreempt(task, ring);
      rings += 1;
      queue.wakeAll();
    });
  });
}

describe("a lost wake-up", () => {
  it("is told as the look, the change that came too early to wake anybody, and the sleep", async () => {
    const report = await explore(doorbell(false), "only");
    expect(report.kind).toBe("LOST_WAKEUP");
    expect(report.message).toMatch(/^guest looked \(look at the bell, step \d\) and slept on hall/);
    expect(report.message).toContain("porter changed it (ring the bell");
    expect(report.story).toContain("nobody who can run ever ends hall");
  });

  it("cannot be where the sleeper looks again in the step in which it goes to sleep", async () => {
    expect((await explore(doorbell(true), "only")).verdict).toBe("proved");
  });

  it("is not what it is called when nobody ever changes what was looked at", async () => {
    const nobody = scenario((world) => {
      const queue = new WaitQueue("hall");
      const look = { object: queue, mode: AccessMode.Read, label: "look into the hall" };
      world.spawn("guest", async (task) => {
        await task.scheduler.mayPreempt(task, look);
        await queue.sleep(task);
      });
    });
    expect((await explore(nobody, "only")).kind).toBe("STALL");
  });
});

/** One waits until the other has slept for `sleepMs`, a second at a time. */
function patient(sleepMs: number): Scenario {
  return scenario((world) => {
    const queue = new WaitQueue("hall");
    world.spawn("guest", async (task: Task) => {
      await queue.sleep(task);
    });
    world.spawn("porter", async (task) => {
      const second = { label: "the next second", blockers: () => [] };
      for (let ms = 0; ms < sleepMs; ms += 1000) await task.scheduler.sleep(task, second, 1000);
      while (queue.isEmpty) await task.scheduler.sleep(task, second, 1000);
      queue.wakeAll();
    });
  });
}

describe("a hung task", () => {
  it("is one that waits for more than two minutes while others go on", async () => {
    const hung = await explore(patient(125_000), "only");
    expect(hung).toMatchObject({ kind: "HUNG_TASK" });
    expect(hung.message).toBe("guest has waited for hall for 121000 ms");
    expect(hung.story).toMatch(/guest waits for hall +since step \d/);
    expect((await explore(patient(110_000), "only")).verdict).toBe("proved");
  });

  it("hangs sooner for who is less patient", async () => {
    const checks = [...CHECKS, hungTasks(3000)];
    expect((await explore(patient(2000), "only", { checks })).verdict).toBe("proved");
    expect((await explore(patient(6000), "only", { checks })).kind).toBe("HUNG_TASK");
  });
});

describe("a bio in flight", () => {
  const flying = (times: number): Scenario =>
    scenario((world) => {
      const disk: InterruptSource<Bio> = {
        label: "sda",
        blockers: () => [],
        handleInterrupt: () => undefined,
      };
      world.spawn("driver", (task) => {
        const bio = new Bio();
        for (let time = 0; time < times; time += 1) task.scheduler.raise(disk, bio);
      });
    });

  it("must not be made to end a second time", async () => {
    const report = await explore(flying(2), "only");
    expect(report.kind).toBe("DOUBLE_COMPLETION");
    expect(report.message).toContain("is to end at sda and at sda");
    expect((await explore(flying(1), "only")).verdict).toBe("proved");
  });
});
