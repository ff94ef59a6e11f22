import { describe, expect, it } from "vitest";
import { lostWakeup, philosophers, reclaim, snapshot } from "../../test/deadlock-models.ts";
import { bioSplit, model, type Model } from "../../test/models.ts";
import { countStuck } from "../../test/sample.ts";
import { explore } from "../explore.ts";
import { random, type Strategy } from "../strategy.ts";
import { pct } from "./pct.ts";
import { partialOrderSampling } from "./pos.ts";
import { uniformWalk } from "./urw.ts";

async function hits(build: Model, strategy: Strategy, runs: number): Promise<number> {
  const options = { strategy, executions: runs, after: "all" } as const;
  const report = await explore(model(build), "model", options);
  expect(report.runs).toBe(runs);
  return report.failingRuns;
}

/** How many standard deviations a count is away from what is expected. */
function sigmas(count: number, runs: number, chance: number): number {
  return Math.abs(count - runs * chance) / Math.sqrt(runs * chance * (1 - chance));
}

describe("PCT meets what takes two steps in order as often as its bound says", () => {
  const RUNS = 300_000;
  const rows: readonly [string, Model, choicesMax: number, chance: number][] = [
    ["1 of 2 tasks and 5 steps: a lost wake-up", lostWakeup, 5, 1 / 10],
    ["1 of 2 tasks and 7 steps: reclaim under a mutex", reclaim, 7, 1 / 14],
  ];

  it.each(rows)("%s", { timeout: 60_000 }, (_name, build, choicesMax, chance) => {
    const strategy = pct({ depth: 2, choicesMax, seed: 11 });
    expect(sigmas(countStuck(build, strategy, RUNS), RUNS, chance)).toBeLessThan(3);
  });
});

describe("a model walked through without promises gets stuck as often as explored", () => {
  const RUNS = 1_000;
  const rows: readonly [string, Model, draw: () => Strategy][] = [
    ["a lost wake-up, by PCT", lostWakeup, () => pct({ depth: 2, choicesMax: 7, seed: 3 })],
    ["reclaim under a mutex, by PCT", reclaim, () => pct({ depth: 2, choicesMax: 7, seed: 3 })],
    ["philosophers(3), by a random walk", philosophers(3), () => random(3)],
    ["snapshot, by URW", snapshot, () => uniformWalk(3)],
    ["bioSplit(2,2,2), by POS", bioSplit(2, 2, 2), () => partialOrderSampling(3)],
  ];

  it.each(rows)("%s", { timeout: 60_000 }, async (_name, build, draw) => {
    // The same lots lead to the same runs.
    expect(countStuck(build, draw(), RUNS)).toBe(await hits(build, draw(), RUNS));
  });
});

describe("each way of drawing finds a failure with its own chance", () => {
  const RUNS = 20_000;
  type Draw = "walk" | "urw" | "pos" | 2 | 3 | 5;
  const DRAWS: readonly Draw[] = ["walk", "urw", "pos", 2, 3, 5];
  const rows: readonly [string, Model, steps: number, chances: readonly number[]][] = [
    ["philosophers(3)", philosophers(3), 12, [0.327, 0.407, 0.2, 0.041, 0.079, 0.167]],
    ["lost wake-up", lostWakeup, 5, [0.128, 0.102, 0.171, 0.096, 0.15, 0.17]],
    ["bioSplit(2,2,2)", bioSplit(2, 2, 2), 12, [0.501, 0.571, 0.507, 0.086, 0.157, 0.29]],
    ["snapshot", snapshot, 9, [0.494, 0.538, 0.335, 0.111, 0.205, 0.358]],
  ];
  const cases = rows.flatMap(([name, build, steps, chances]) =>
    DRAWS.map((draw, index) => ({ name, draw, build, steps, chance: chances[index] ?? 0 })),
  );

  it.each(cases)(
    "$name by $draw: $chance",
    { timeout: 60_000 },
    ({ draw, build, steps, chance }) => {
      const count = countStuck(build, drawer(draw, steps), RUNS);
      // The figures compared with were drawn as often, and are as far from the truth.
      expect(sigmas(count, RUNS, chance) / Math.SQRT2, String(count / RUNS)).toBeLessThan(4);
    },
  );

  function drawer(draw: Draw, choicesMax: number): Strategy {
    if (draw === "walk") return random(5);
    if (draw === "urw") return uniformWalk(5);
    if (draw === "pos") return partialOrderSampling(5);
    return pct({ depth: draw, choicesMax, seed: 5 });
  }
});
