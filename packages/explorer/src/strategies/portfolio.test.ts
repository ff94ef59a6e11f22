import { describe, expect, it } from "vitest";
import { philosophers, pool } from "../../test/deadlock-models.ts";
import { bioSplit, model } from "../../test/models.ts";
import { explore } from "../explore.ts";
import { exhaustive, random, type Strategy } from "../strategy.ts";
import { delays } from "./bounded.ts";
import { pct } from "./pct.ts";
import { portfolio } from "./portfolio.ts";

describe("a portfolio", () => {
  it("proves what is right as soon as its proof is through, and names it", async () => {
    const report = await explore(model(pool(2, 2, 3)), "model", { strategy: "portfolio" });
    expect(report).toMatchObject({ verdict: "proved", strategy: "portfolio" });
    expect(report.decidedBy).toBe("dpor");
  });

  it("finds by drawing what is one schedule in 10^9, and names who drew it", async () => {
    const options = { strategy: "portfolio", after: "first" } as const;
    const report = await explore(model(bioSplit(4, 2, 4)), "model", options);
    expect(report).toMatchObject({ verdict: "found", kind: "STALL" });
    expect(report.decidedBy).not.toBe("exhaustive");
    expect(report.foundAtRun).toBeLessThan(1_000);
  });

  it("says what was not found within the budget, and the largest bound run in full", async () => {
    const options = { strategy: "portfolio", executions: 2_000, after: "all" } as const;
    const report = await explore(model(pool(4, 2, 5)), "model", options);
    expect(report).toMatchObject({ verdict: "not-found", decidedBy: null, runs: 2_000 });
    expect(report.boundCompleted?.measure).toBe("delays");
    expect(report.boundCompleted?.count).toBeGreaterThan(0);
  });

  it("gives each part its share of the steps, and the proof as much as all others", async () => {
    const steps = new Map<string, number>();
    const counted = (strategy: Strategy): Strategy => ({
      name: strategy.name,
      isExhaustive: strategy.isExhaustive,
      get isRepeating() {
        return strategy.isRepeating;
      },
      beginRun: () => strategy.beginRun(),
      chooseActor: (enabled) => strategy.chooseActor(enabled),
      chooseOutcome: (what, count) => strategy.chooseOutcome(what, count),
      stepTaken: () => steps.set(strategy.name, (steps.get(strategy.name) ?? 0) + 1),
    });
    const search = [
      { strategy: counted(random(3)), weight: 1 },
      { strategy: counted(pct({ depth: 2 })), weight: 3 },
    ];
    const proof = counted(exhaustive());
    const strategy = portfolio({ proof: [proof], search });
    const report = await explore(model(philosophers(5)), "model", {
      strategy,
      executions: 4_000,
      after: "all",
    });
    const share = (name: string): number => (steps.get(name) ?? 0) / report.steps;
    expect(share("exhaustive")).toBeCloseTo(1 / 2, 1);
    expect(share("random")).toBeCloseTo(1 / 8, 1);
    expect(share("pct(2)")).toBeCloseTo(3 / 8, 1);
  });

  it("goes on without a part that has nothing left and has proved nothing", async () => {
    const strategy = portfolio({ search: [{ strategy: delays(0), weight: 1 }] });
    const report = await explore(model(philosophers(3)), "model", { strategy, after: "all" });
    expect(report).toMatchObject({ isComplete: true, verdict: "found", decidedBy: "exhaustive" });
    expect(report.boundCompleted).toStrictEqual({ measure: "delays", count: 0 });
  });

  it("does the same again with the same seed", async () => {
    const options = { strategy: "portfolio", seed: 7, after: "first" } as const;
    const [one, two] = [
      await explore(model(bioSplit(3, 2, 3)), "model", options),
      await explore(model(bioSplit(3, 2, 3)), "model", options),
    ];
    expect(one.foundAtRun).toBe(two.foundAtRun);
    expect(one.trace).toStrictEqual(two.trace);
  });

  it("lets only those that prove by equal states leave out a state that was seen", async () => {
    const states = { strategy: "portfolio", dedupe: "states", after: "all" } as const;
    const bug = await explore(model(bioSplit(2, 2, 2)), "model", states);
    expect(bug).toMatchObject({ isComplete: true, verdict: "found" });
    const pools = await explore(model(pool(4, 2, 5)), "model", states);
    expect(pools).toMatchObject({ verdict: "proved", decidedBy: "exhaustive" });
    const alone = await explore(model(pool(4, 2, 5)), "model", { dedupe: "states" });
    expect(pools.states).toBe(alone.states);
  });

  it("of nothing is refused", () => {
    expect(() => portfolio({ proof: [], search: [] })).toThrow(RangeError);
  });
});
