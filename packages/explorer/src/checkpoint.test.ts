import { describe, expect, it } from "vitest";
import { lostWakeup, philosophers } from "../test/deadlock-models.ts";
import { bioSplit, model } from "../test/models.ts";
import { randomMoves, scenarioOfMoves } from "../test/random-classes.ts";
import { type Checkpoint, CheckpointError, parseCheckpoint } from "./checkpoint.ts";
import { explore } from "./explore.ts";
import type { ExploreOptions } from "./explore-options.ts";
import type { Report } from "./report.ts";
import type { Scenario } from "./scenario.ts";
import { STRATEGY_NAMES } from "./strategies/named.ts";
import { Xorshift } from "./strategy.ts";

/** Runs `runs` runs, and answers what a file would have kept of that. */
async function interruptedAfter(
  runs: number,
  scenario: Scenario,
  options: ExploreOptions,
): Promise<Checkpoint> {
  let kept = "";
  const store = {
    save(checkpoint: Checkpoint) {
      kept = JSON.stringify(checkpoint);
      return undefined;
    },
  };
  const variant = Object.keys(scenario.variants)[0] ?? "";
  const report = await explore(scenario, variant, {
    ...options,
    executions: runs,
    checkpoint: store,
  });
  expect(report).toMatchObject({ runs, endedBy: "executions" });
  return parseCheckpoint(kept);
}

/** All of a report that does not depend on how long it took. */
function totals(report: Report): object {
  const { runs, steps, schedules, failingRuns, foundAtRun, verdict, boundCompleted } = report;
  const { decidedBy, isComplete, story, trace } = report;
  const told = { verdict, boundCompleted, decidedBy, isComplete, story, trace };
  return { runs, steps, schedules, failingRuns, foundAtRun, ...told };
}

const phil3 = model(philosophers(3));

describe("a search that was interrupted and goes on", () => {
  it.each(STRATEGY_NAMES)("comes to the same totals by %s, wherever it was", async (strategy) => {
    const options = { strategy, after: "all", executions: 150 } as const;
    const whole = await explore(phil3, "model", options);
    for (const at of [1, 2, 3, 7, Math.floor(whole.runs / 2), whole.runs - 1]) {
      if (at < 1 || at >= whole.runs) continue;
      const resume = await interruptedAfter(at, phil3, options);
      expect(totals(await explore(phil3, "model", { ...options, resume }))).toEqual(totals(whole));
    }
  });

  it.each(["exhaustive", "dpor", "preemptions", "delays"] as const)(
    "proves the same of random programs by %s, interrupted twice",
    async (strategy) => {
      const lots = new Xorshift(7);
      for (let program = 0; program < 60; program += 1) {
        const scenario = scenarioOfMoves(randomMoves(lots));
        const options = { strategy, after: "all", executions: 300 } as const;
        const whole = await explore(scenario, "model", options);
        if (whole.runs < 3) continue;
        const first = await interruptedAfter(1 + lots.below(whole.runs - 2), scenario, options);
        const at = first.tally.runs + 1;
        const second = await interruptedAfter(at, scenario, { ...options, resume: first });
        const end = await explore(scenario, "model", { ...options, resume: second });
        expect(totals(end)).toEqual(totals(whole));
      }
    },
  );

  it("goes on looking for a shorter failure from the shortest it had", async () => {
    const scenario = model(bioSplit(3, 2, 3));
    const whole = await explore(scenario, "model", { strategy: "random" });
    const options = { strategy: "random" } as const;
    const resume = await interruptedAfter(whole.foundAtRun + 10, scenario, options);
    expect(resume.best).not.toBeNull();
    expect(totals(await explore(scenario, "model", { ...options, resume }))).toEqual(totals(whole));
  });

  it("is told where it stands when it is stopped from outside", async () => {
    const stop = new AbortController();
    const kept: Checkpoint[] = [];
    const report = await explore(model(philosophers(5)), "model", {
      after: "all",
      signal: stop.signal,
      onProgress: () => {
        stop.abort();
      },
      checkpoint: { save: (checkpoint) => void kept.push(checkpoint) },
    });
    expect(report).toMatchObject({ endedBy: "stopped", isComplete: false });
    expect(kept.at(-1)?.tally.runs).toBe(report.runs);
  });
});

describe("a checkpoint", () => {
  it("is refused by another search, which says what differs", async () => {
    const resume = await interruptedAfter(5, phil3, { strategy: "dpor", after: "all" });
    const again = (options: ExploreOptions) => () => explore(phil3, "model", options);
    expect(again({ resume, strategy: "exhaustive", after: "all", seed: 2 })).toThrow(
      new CheckpointError(
        'a checkpoint of another search: strategy "dpor", now "exhaustive"; seed 1, now 2',
      ),
    );
    const other = { ...model(lostWakeup), name: "wake-up" };
    expect(() => explore(other, "model", { resume, strategy: "dpor", after: "all" })).toThrow(
      'a checkpoint of another search: scenario "model", now "wake-up"',
    );
  });

  it("is not made of a table of states, nor by a strategy that cannot say where it stands", () => {
    const checkpoint = { save: () => undefined };
    expect(() => explore(phil3, "model", { checkpoint, dedupe: "states" })).toThrow(
      "a checkpoint does not keep the table of states",
    );
    const strategy = {
      ...{ name: "mine", isExhaustive: false, isRepeating: false },
      ...{ beginRun: () => true, chooseActor: () => 0, chooseOutcome: () => 0 },
    };
    expect(() => explore(phil3, "model", { checkpoint, strategy })).toThrow(
      'the strategy "mine" makes no checkpoints',
    );
  });

  it("is read with care", async () => {
    const good = await interruptedAfter(5, phil3, {});
    const read = (change: object) => () => parseCheckpoint(JSON.stringify({ ...good, ...change }));
    expect(() => parseCheckpoint("{")).toThrow("not a checkpoint: not JSON");
    expect(read({ format: "else" })).toThrow('no "format": "blkstack-checkpoint"');
    expect(read({ version: 9 })).toThrow("a checkpoint of version 9; this reads 1");
    expect(read({ tally: {} })).toThrow('not a checkpoint: no "runs"');
    const state = { taken: [9], counts: [2], isFresh: false };
    const resume = parseCheckpoint(JSON.stringify({ ...good, state }));
    expect(() => explore(phil3, "model", { resume })).toThrow("choices that there are not");
  });
});
