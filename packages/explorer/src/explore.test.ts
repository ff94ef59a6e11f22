import { AccessMode, type InterruptSource, type Task, type Waitable } from "@blkstack/task";
import { describe, expect, it } from "vitest";
import { explore } from "./explore.ts";
import type { ExploreOptions } from "./explore-options.ts";
import type { Report } from "./report.ts";
import { DivergenceError } from "./follow.ts";
import { replay } from "./replay.ts";
import { defineScenario, type Scenario, type World } from "./scenario.ts";
import { parseTrace, TraceFormatError } from "./trace.ts";

function scenario(build: (world: World) => void): Scenario {
  const variants = { only: { expect: "ok", summary: "the only one" } } as const;
  return defineScenario({ name: "test", summary: "a test", variants, build });
}

function run(build: (world: World) => void, options: ExploreOptions = {}): Promise<Report> {
  return explore(scenario(build), "only", options);
}

const lock: Waitable = { label: 'mutex "m"', blockers: () => [] };

/** Takes two locks, one after the other, in steps of its own. */
async function takeBoth(world: World, task: Task, names: readonly string[]): Promise<void> {
  const held = locksOf(world);
  for (const name of names) {
    const cell = held.get(name) ?? world.cell(name);
    held.set(name, cell);
    await world.step(task, cell.use(AccessMode.Acquire, "lock"), () => cell.value === 0);
    cell.value = 1;
    cell.holders.push(task);
  }
  for (const name of names) {
    const cell = held.get(name) ?? world.cell(name);
    await world.step(task, cell.use(AccessMode.Release, "unlock"));
    cell.value = 0;
    cell.holders.length = 0;
  }
}

const locks = new WeakMap<World, Map<string, ReturnType<World["cell"]>>>();
function locksOf(world: World): Map<string, ReturnType<World["cell"]>> {
  const known = locks.get(world) ?? new Map<string, ReturnType<World["cell"]>>();
  locks.set(world, known);
  return known;
}

function crossing(world: World): void {
  const options = { startsAtFirstStep: true };
  world.spawn("left", (task) => takeBoth(world, task, ["A", "B"]), options);
  world.spawn("right", (task) => takeBoth(world, task, ["B", "A"]), options);
}

describe("what is found", () => {
  it("tells a deadlock as a circle of who waits for whom, with the shortest schedule", async () => {
    const report = await run(crossing);
    expect(report).toMatchObject({ verdict: "found", kind: "DEADLOCK", isShortest: true });
    expect(report.trace?.steps).toHaveLength(2);
    expect(report.story).toContain("left cannot lock B");
    expect(report.story).toContain("knot: left -> B -> right -> A -> left");
  });

  it("is a lost wake-up when nobody is known who could end the wait", async () => {
    const report = await run((world) => {
      world.spawn("waiter", async (task) => {
        await world.scheduler.sleep(task, lock);
      });
    });
    expect(report).toMatchObject({ verdict: "found", kind: "STALL" });
    expect(report.story).toContain('waiter waits for mutex "m"');
  });

  it("is a deadlock too when only a pool's retry timer is left", async () => {
    const report = await run((world) => {
      world.spawn("waiter", async (task) => {
        for (;;) await world.scheduler.sleep(task, lock, 5000, true);
      });
    });
    expect(report).toMatchObject({ verdict: "found", kind: "STALL" });
    expect(report.trace?.steps).toHaveLength(1);
  });

  it("is not a stall when a timer is armed that is more than a retry", async () => {
    let endedMs = 0;
    const report = await run((world) => {
      world.spawn("patient", async (task) => {
        await world.scheduler.sleep(task, lock, 60_000);
        endedMs = world.scheduler.clock.nowMs();
      });
    });
    expect(report.verdict).toBe("proved");
    expect(endedMs).toBe(60_000);
  });

  it("is no proof when only a retry went on from a stall", async () => {
    const report = await run((world) => {
      const tries = world.cell("tries");
      world.spawn("waiter", async (task) => {
        for (; tries.value < 3; tries.value += 1) {
          await world.scheduler.sleep(task, lock, 5000, true);
        }
      });
    });
    expect(report).toMatchObject({ verdict: "not-found", healedRuns: 1 });
    expect(report.story).toContain("only a retry after seconds got on");
  });

  it("is a livelock when a run does not come to an end", async () => {
    const report = await run(
      (world) => {
        const spin = world.cell("spin");
        world.spawn("spinner", async (task) => {
          for (;;) await world.step(task, spin.use(AccessMode.Read, "look at"));
        });
      },
      { stepsMax: 100 },
    );
    expect(report).toMatchObject({ verdict: "found", kind: "LIVELOCK" });
  });

  it("is an error that a task ends with, a warning, and a complaint at the end", async () => {
    const thrown = await run((world) => {
      world.spawn("thrower", () => Promise.reject(new Error("no such luck")));
    });
    expect(thrown).toMatchObject({ kind: "ERROR", message: "thrower: no such luck" });
    const warned = await run((world) => {
      world.spawn("warner", () => {
        world.scheduler.warn("that was odd");
      });
    });
    expect(warned).toMatchObject({ kind: "WARN", message: "that was odd" });
    const wrong = await run((world) => {
      world.spawn("idler", () => undefined);
      world.atEnd(() => ["one is missing", { kind: "LEAK", message: "and one too many" }]);
    });
    expect(wrong).toMatchObject({ kind: "WRONG", message: "one is missing; and one too many" });
  });

  it("is a sleep while a spinlock is held, and one in an interrupt", async () => {
    const held = await run((world) => {
      world.spawn("sleeper", async (task) => {
        task.atomicDepth += 1;
        await world.scheduler.sleep(task, lock);
      });
    });
    expect(held.kind).toBe("SLEEP_IN_ATOMIC");
    const interrupted = await run((world) => {
      world.spawn("asker", (task) => {
        const source: InterruptSource = {
          ...lock,
          handleInterrupt: () => void world.scheduler.sleep(task, lock),
        };
        world.scheduler.raise(source, null);
      });
    });
    expect(interrupted.kind).toBe("SLEEP_IN_ATOMIC");
  });

  it("is a wait for what the scheduler cannot see", async () => {
    const report = await run((world) => {
      world.spawn("stranger", () => new Promise((resolve) => setTimeout(resolve, 1e6).unref()));
    });
    expect(report).toMatchObject({ verdict: "found", kind: "FOREIGN_AWAIT" });
    expect(report.message).toContain("stranger");
  });

  it("is a scenario that does not do the same twice", async () => {
    let builds = 0;
    const report = await run((world) => {
      builds += 1;
      const cell = world.cell("x");
      for (let i = 0; i < 2 + (builds % 2); i += 1) {
        world.spawn(`t${String(i)}`, (task) => world.step(task, cell.use(AccessMode.Write, "set")));
      }
    });
    expect(report).toMatchObject({ verdict: "found", kind: "NONDETERMINISM" });
  });
});

describe("what is chosen", () => {
  it("is every outcome of a choice that is nobody's, the good one first", async () => {
    const seen: string[] = [];
    const build = (world: World): void => {
      world.spawn("chooser", () => {
        const { scheduler } = world;
        seen.push(`${String(scheduler.choose("a", 2))}${String(scheduler.choose("b", 3))}`);
      });
    };
    const report = await run(build, { audits: "off" });
    expect(report).toMatchObject({ verdict: "proved", runs: 6 });
    expect(seen).toEqual(["00", "01", "02", "10", "11", "12"]);
  });

  it("is when each interrupt comes, among the steps of the tasks", async () => {
    const orders = new Set<string>();
    await run((world) => {
      let order = "";
      const source: InterruptSource<string> = {
        ...lock,
        handleInterrupt: (work) => (order += work),
      };
      const cell = world.cell("x");
      world.spawn("task", async (task) => {
        world.scheduler.raise(source, "1");
        world.scheduler.raise(source, "2");
        await world.step(task, cell.use(AccessMode.Write, "set"));
        order += "t";
      });
      world.atEnd(() => {
        orders.add(order);
        return [];
      });
    });
    expect([...orders].sort()).toEqual(["12t", "1t2", "21t", "2t1", "t12", "t21"]);
  });

  it("is the same again for the same seed of a random walk", async () => {
    const walk = (seed: number): Promise<Report> =>
      run(crossing, { strategy: "random", seed, executions: 200, after: "all" });
    const [first, again, other] = [await walk(3), await walk(3), await walk(4)];
    expect(again.failingRuns).toBe(first.failingRuns);
    expect(again.foundAtRun).toBe(first.foundAtRun);
    expect(first.failingRuns).toBeGreaterThan(50);
    expect([other.failingRuns, other.foundAtRun]).not.toEqual([
      first.failingRuns,
      first.foundAtRun,
    ]);
  });

  it("ends with the budget, and then nothing is proved", async () => {
    const report = await run(crossing, { executions: 1 });
    expect(report).toMatchObject({ verdict: "not-found", runs: 1, isComplete: false });
  });

  it("names the variants when asked for one that is not there", () => {
    const asked = (): unknown => explore(scenario(crossing), "other");
    expect(asked).toThrow('scenario "test" has no variant "other"; it has only');
  });
});

describe("a trace", () => {
  it("repeats a run to the letter, over a file", async () => {
    const { trace, message } = await run(crossing);
    const again = await replay(scenario(crossing), parseTrace(JSON.stringify(trace)));
    expect(again).toMatchObject({ isSame: true, report: { kind: "DEADLOCK", message } });
    expect(again.report.trace?.steps).toEqual(trace?.steps);
  });

  it("says where it does not fit the scenario any more", async () => {
    const { trace } = await run(crossing);
    if (trace === null) throw new Error("nothing was found");
    const renamed = scenario((world) => {
      const options = { startsAtFirstStep: true };
      world.spawn("left", (task) => takeBoth(world, task, ["A", "B"]), options);
      world.spawn("other", (task) => takeBoth(world, task, ["B", "A"]), options);
    });
    await expect(replay(renamed, trace)).rejects.toThrow(
      new DivergenceError("at choice 2 the trace has right, but now there is left, other"),
    );
    const fixed = scenario((world) => {
      const options = { startsAtFirstStep: true };
      world.spawn("left", (task) => takeBoth(world, task, ["A", "B"]), options);
      world.spawn("right", (task) => takeBoth(world, task, ["A", "B"]), options);
    });
    await expect(replay(fixed, trace)).rejects.toThrow(DivergenceError);
  });

  it("is refused when it is none", () => {
    expect(() => parseTrace("{")).toThrow(TraceFormatError);
    expect(() => parseTrace("{}")).toThrow('not a trace: no "format": "blkstack-trace"');
    expect(() => parseTrace('{"format":"blkstack-trace","version":9}')).toThrow("of version 9");
  });
});
