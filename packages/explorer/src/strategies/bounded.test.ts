import { Mutex } from "@blkstack/task";
import { describe, expect, it } from "vitest";
import { lostWakeup, philosophers, pool } from "../../test/deadlock-models.ts";
import { bioSplit, model, type Model } from "../../test/models.ts";
import { explore } from "../explore.ts";
import { Runner } from "../run.ts";
import { defineScenario, type Scenario } from "../scenario.ts";
import type { Report } from "../report.ts";
import type { Strategy } from "../strategy.ts";
import { delays, preemptions } from "./bounded.ts";

function runAll(build: Model, strategy: Strategy): Promise<Report> {
  return explore(model(build), "model", { strategy, after: "all" });
}

describe("a bound lets through every schedule up to it, and each exactly once", () => {
  const rows: readonly [string, Model, Strategy, runs: number, deadlocking: number][] = [
    ["phil(3), 0 preemptions", philosophers(3), preemptions(0), 6, 0],
    ["phil(3), 1 preemption", philosophers(3), preemptions(1), 57, 3],
    ["phil(3), 2 preemptions", philosophers(3), preemptions(2), 129, 6],
    ["phil(3), 1 delay", philosophers(3), delays(1), 8, 0],
    ["phil(3), 2 delays", philosophers(3), delays(2), 32, 1],
    ["phil(4), 1 preemption", philosophers(4), preemptions(1), 512, 4],
    ["phil(4), 3 delays", philosophers(4), delays(3), 347, 1],
    ["pool(3,2,3), 1 preemption", pool(3, 2, 3), preemptions(1), 60, 0],
    ["pool(3,2,3), 2 preemptions", pool(3, 2, 3), preemptions(2), 300, 6],
    ["pool(3,2,3), 2 delays", pool(3, 2, 3), delays(2), 45, 1],
    ["bioSplit(3,2,3), 1 preemption", bioSplit(3, 2, 3), preemptions(1), 28_920, 0],
    ["bioSplit(3,2,3), 2 preemptions", bioSplit(3, 2, 3), preemptions(2), 98_166, 6],
    ["bioSplit(3,2,3), 2 delays", bioSplit(3, 2, 3), delays(2), 127, 1],
  ];

  it.each(rows)("%s", { timeout: 60_000 }, async (_name, build, strategy, runs, deadlocking) => {
    const report = await runAll(build, strategy);
    expect(report).toMatchObject({ runs, failingRuns: deadlocking, isComplete: false });
    expect(report.boundCompleted?.count).toBe(Number(/\d+/.exec(strategy.name)?.[0]));
  });
});

describe("a bound counts preemptions as reports do", () => {
  const locks = defineScenario({
    name: "model",
    summary: "two locks taken the other way round, with starts and sleeps as steps",
    variants: { model: { expect: "DEADLOCK", summary: "the only one" } },
    build(world) {
      const [a, b] = [new Mutex("A"), new Mutex("B")];
      for (const [name, first, second] of [["left", a, b] as const, ["right", b, a] as const]) {
        world.spawn(name, async (task) => {
          await first.lock(task);
          await second.lock(task);
          second.unlock(task);
          first.unlock(task);
        });
      }
    },
  });
  const rows: readonly [string, Scenario][] = [
    ["philosophers(3)", model(philosophers(3))],
    ["bioSplit(2,2,2)", model(bioSplit(2, 2, 2))],
    ["two mutexes", locks],
  ];

  it.each(rows)("%s", async (_name, scenario) => {
    const counted = [0, 0, 0];
    // Nothing is to end a run before its end, as `after: "all"` has it.
    const plan = { scenario, variant: "model", seed: 1, stepsMax: 1_000, checks: [] };
    const runs: number[] = [];
    for (const bound of [0, 1, 2]) {
      const options = { strategy: preemptions(bound), after: "all", lockdep: false } as const;
      runs.push((await explore(scenario, "model", options)).runs);
    }
    const strategy = preemptions(2);
    for (let run = 0; run < (runs[2] ?? 0); run += 1) {
      const { recorder } = await new Runner(plan).record(strategy);
      counted[recorder.preemptions] = (counted[recorder.preemptions] ?? 0) + 1;
    }
    const [none = 0, one = 0, two = 0] = counted;
    expect(counted.length).toBe(3);
    expect([none, none + one, none + one + two]).toEqual(runs);
  });
});

describe("without a bound, one bound is run after the other", () => {
  it("until no schedule is cut off, which proves what is right", async () => {
    const report = await explore(model(pool(2, 2, 3)), "model", { strategy: "preemptions" });
    expect(report).toMatchObject({ verdict: "proved", decidedBy: "preemptions" });
    const all = await explore(model(pool(2, 2, 3)), "model");
    const last = await runAll(pool(2, 2, 3), preemptions(report.boundCompleted?.count));
    expect(last.runs).toBe(all.runs);
  });

  it("and the first failure takes the fewest preemptions that any takes", async () => {
    const options = { strategy: "preemptions", after: "first" } as const;
    const report = await explore(model(philosophers(4)), "model", options);
    expect(report).toMatchObject({ verdict: "found", boundCompleted: { count: 0 } });
  });

  it("and a budget that ends too early leaves the largest bound run in full", async () => {
    const options = { strategy: "preemptions", executions: 40, after: "all" } as const;
    const report = await explore(model(philosophers(3)), "model", options);
    expect(report.boundCompleted).toStrictEqual({ measure: "preemptions", count: 0 });
    expect(report.runs).toBe(40);
  });
});

it("a bound that cuts nothing off is a proof, and says so", async () => {
  expect(await runAll(pool(2, 2, 3), preemptions(99))).toMatchObject({ verdict: "proved" });
  expect(await runAll(pool(2, 2, 3), delays(99))).toMatchObject({ verdict: "proved", runs: 34 });
  expect(await runAll(pool(2, 2, 3), delays(1))).toMatchObject({ verdict: "not-found" });
  expect(await runAll(lostWakeup, delays(99))).toMatchObject({ runs: 5, failingRuns: 1 });
});

it("a bound that is no whole number is refused", () => {
  expect(() => preemptions(-1)).toThrow(RangeError);
  expect(() => delays(1.5)).toThrow(RangeError);
});
