import { describe, expect, it } from "vitest";
import { assertNothingFound, FoundError } from "./assert-nothing-found.ts";
import { explore } from "./explore.ts";
import type { Report } from "./report.ts";
import { DivergenceError } from "./follow.ts";
import { ReplayLineError } from "./replay-line.ts";
import { replay } from "./replay.ts";
import type { Scenario } from "./scenario.ts";
import { bioSplit, model, Op } from "../test/models.ts";

function philosophers(count: number, rounds = 1): Scenario {
  return model((m) => {
    const forks = Array.from({ length: count }, (_, i) => m.cell(`fork${String(i)}`));
    for (const [i, left] of forks.entries()) {
      const right = forks[(i + 1) % count] ?? left;
      const meal = [Op.lock(left), Op.lock(right), Op.unlock(right), Op.unlock(left)];
      m.task(`p${String(i)}`, Array.from({ length: rounds }, () => meal).flat());
    }
  });
}

function splitters(tasks: number, rounds: number, size: number): Scenario {
  return model(bioSplit(tasks, 2, size, rounds));
}

/** The first failure of a random walk, of each of these seeds. */
async function failures(scenario: Scenario, seeds: number): Promise<readonly Report[]> {
  const reports: Report[] = [];
  for (let seed = 1; seed <= seeds; seed += 1) {
    const report = await explore(scenario, "model", { strategy: "random", seed, after: "first" });
    if (report.verdict === "found") reports.push(report);
  }
  return reports;
}

function mean(reports: readonly Report[], figure: (report: Report) => number): number {
  return reports.reduce((sum, report) => sum + figure(report), 0) / reports.length;
}

interface Crossing {
  readonly bystanders?: number;
  readonly leftStepsBefore?: number;
  readonly isOrdered?: boolean;
}

/** Two tasks that take two locks the other way round, and what may be added to that. */
function crossing({ bystanders = 0, leftStepsBefore = 0, isOrdered = false }: Crossing): Scenario {
  return model((m) => {
    const [a, b, c] = [m.cell("A"), m.cell("B"), m.cell("C")];
    const before = Array.from({ length: leftStepsBefore }, (_, i) => Op.write(c, i));
    const [first, second] = isOrdered ? [a, b] : [b, a];
    if (bystanders > 0) m.task("bystander-1", [Op.lock(c), Op.unlock(c)]);
    m.task("left", [...before, Op.lock(a), Op.lock(b), Op.unlock(b), Op.unlock(a)]);
    m.task("right", [Op.lock(first), Op.lock(second), Op.unlock(second), Op.unlock(first)]);
    for (let i = 2; i <= bystanders; i += 1) {
      m.task(`bystander-${String(i)}`, [Op.lock(c), Op.unlock(c), Op.lock(c), Op.unlock(c)]);
    }
  });
}

describe("a failure is made smaller", () => {
  const rows: readonly [string, Scenario, seeds: number, atMost: number][] = [
    ["seven philosophers", philosophers(7), 40, 1],
    ["three philosophers who eat three times", philosophers(3, 3), 40, 1.13],
    ["four philosophers who eat four times", philosophers(4, 4), 40, 1.44],
    ["three who cut three bios each, with three in the pool", splitters(3, 3, 3), 100, 1.3],
    ["three who cut three bios each, with two in the pool", splitters(3, 3, 2), 40, 1.3],
  ];

  it.each(rows)(
    "until few preemptions are left: %s",
    { timeout: 120_000 },
    async (_name, scenario, seeds, atMost) => {
      const reports = await failures(scenario, seeds);
      expect(reports.length).toBe(seeds);
      expect(mean(reports, ({ preemptions }) => preemptions)).toBeLessThanOrEqual(atMost);
    },
  );

  it("and a test that asks for none fails with the whole story", async () => {
    const report = await explore(philosophers(2), "model");
    const asserted = (): void => {
      assertNothingFound(report);
    };
    expect(asserted).toThrow('replay: blkstack replay "model:model p0 p1"');
    expect(asserted).toThrow(FoundError);
    const single = await explore(philosophers(0), "model");
    expect(() => {
      assertNothingFound(single);
    }).not.toThrow();
  });

  it("and says which order decides", async () => {
    const { story } = await explore(philosophers(2), "model");
    expect(story).toContain("what decides it: p1: lock fork1  before  p0: lock fork1");
  });
});

describe("a replay line", () => {
  it("leads to the same failure, in few letters", async () => {
    for (const report of await failures(splitters(2, 2, 2), 10)) {
      const line = report.replayLine ?? "";
      const again = await replay(splitters(2, 2, 2), line);
      expect(again.isSame).toBe(true);
      expect(again.report.message).toBe(report.message);
      expect(again.report.replayLine).toBe(line);
    }
  });

  it("still fails when an unrelated task was added, and another step taken elsewhere", async () => {
    const { replayLine } = await explore(crossing({}), "model");
    expect(replayLine).toBe("model:model left right");
    const again = await replay(crossing({ bystanders: 2 }), replayLine ?? "");
    expect(again.report).toMatchObject({ kind: "STALL", message: "left, right cannot go on" });
  });

  it("stays the same when an unrelated task is added", async () => {
    const { replayLine, trace } = await explore(crossing({ bystanders: 2 }), "model");
    expect(replayLine).toBe("model:model left right");
    expect(trace?.input?.without).toEqual(["bystander-2", "bystander-1"]);
  });

  it("finds its failure again when a task that it names takes one more step", async () => {
    const { replayLine } = await explore(crossing({}), "model");
    const again = await replay(crossing({ leftStepsBefore: 1 }), replayLine ?? "");
    expect(again.report).toMatchObject({ kind: "STALL", replayLine: "model:model left*2 right" });
    const twice = await replay(crossing({ leftStepsBefore: 2 }), replayLine ?? "");
    expect(twice.report).toMatchObject({ kind: "STALL", replayLine: "model:model left*3 right" });
    const fixed = await replay(crossing({ isOrdered: true }), replayLine ?? "");
    expect(fixed).toMatchObject({ isSame: false, report: { verdict: "not-found" } });
  });

  it("gives again the answers that nobody but chance gives", async () => {
    const asking = model((m) => {
      const cell = m.cell("x");
      m.task("asker", [Op.always("ask", cell, () => (cell.value = m.choose("broken", 3)))]);
      m.atEnd(() => (cell.value === 2 ? ["it broke"] : []));
    });
    const { replayLine, story } = await explore(asking, "model");
    expect(story).toContain("what decides it: asker: ask x; broken: outcome 2");
    expect(replayLine).toBe("model:model asker=2");
    const { report } = await replay(asking, replayLine ?? "");
    expect(report.message).toBe("it broke");
  });

  it("is refused when it is none", async () => {
    const scenario = philosophers(2);
    await expect(async () => replay(scenario, "model")).rejects.toThrow(ReplayLineError);
    await expect(async () => replay(scenario, "model:model p0*x")).rejects.toThrow('"p0*x" should');
    await expect(async () => replay(scenario, "other:model p0")).rejects.toThrow(DivergenceError);
  });
});
