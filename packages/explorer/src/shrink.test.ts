import { AccessMode } from "@blkstack/task";
import { describe, expect, it } from "vitest";
import { assertNothingFound, FoundError } from "./assert-nothing-found.ts";
import { explore } from "./explore.ts";
import type { Report } from "./report.ts";
import { DivergenceError } from "./follow.ts";
import { ReplayLineError } from "./replay-line.ts";
import { replay } from "./replay.ts";
import { defineScenario, type Scenario, type World } from "./scenario.ts";
import { model, Op } from "../test/models.ts";

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

const START = { startsAtFirstStep: true };

/** Each handles bios one after the other, each split in two; a completion gives one back. */
function splitters(tasks: number, rounds: number, size: number): Scenario {
  const build = (world: World): void => {
    const pool = world.cell("bio_set", size);
    const take = pool.use(AccessMode.Acquire, "alloc from");
    const give = pool.use(AccessMode.Release, "free to");
    for (let i = 0; i < tasks; i += 1) {
      const issued = Array.from({ length: 2 * rounds }, (_, k) =>
        world.cell(`issued ${String(i)}.${String(k)}`),
      );
      for (const [k, cell] of issued.entries()) {
        const end = cell.use(AccessMode.Read, "end");
        const name = `irq ${String(i)}.${String(k)}`;
        const body = async (task: Parameters<World["step"]>[0]): Promise<void> => {
          await world.step(task, end, () => cell.value === 1);
          pool.value += 1;
          world.scheduler.touch(give);
        };
        world.spawn(name, body, START);
      }
      world.spawn(
        `submitter ${String(i)}`,
        async (task) => {
          for (let round = 0; round < rounds; round += 1) {
            for (let piece = 0; piece < 2; piece += 1) {
              await world.step(task, take, () => pool.value > 0);
              pool.value -= 1;
            }
            for (const cell of issued.slice(2 * round, 2 * round + 2)) {
              await world.step(task, cell.use(AccessMode.Write, "submit"));
              cell.value = 1;
            }
          }
        },
        START,
      );
    }
  };
  const variants = { model: { expect: "DEADLOCK", summary: "the only one" } } as const;
  return defineScenario({ name: "splitters", summary: "bios in two", variants, build });
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

describe("a failure is made smaller", () => {
  it("until seven philosophers starve after one preemption", async () => {
    const reports = await failures(philosophers(7), 20);
    expect(reports.length).toBe(20);
    expect(reports.map(({ preemptions }) => preemptions)).toEqual(reports.map(() => 1));
  });

  it("where each philosopher eats three times", async () => {
    const reports = await failures(philosophers(3, 3), 20);
    expect(mean(reports, ({ preemptions }) => preemptions)).toBeLessThanOrEqual(1.13);
  });

  it("until few preemptions are left of a pool that ran dry", { timeout: 60_000 }, async () => {
    const reports = await failures(splitters(3, 3, 3), 15);
    expect(reports.length).toBe(15);
    expect(mean(reports, ({ preemptions }) => preemptions)).toBeLessThanOrEqual(1.7);
    const smaller = await failures(splitters(3, 3, 2), 15);
    expect(mean(smaller, ({ preemptions }) => preemptions)).toBeLessThanOrEqual(1.3);
  });

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
    const crossing = (isEdited: boolean): Scenario =>
      model((m) => {
        const [a, b, c] = [m.cell("A"), m.cell("B"), m.cell("C")];
        const extra = [Op.lock(c), Op.unlock(c)];
        if (isEdited) m.task("elder", extra);
        m.task("left", [Op.lock(a), Op.lock(b), Op.unlock(b), Op.unlock(a)]);
        m.task("right", [Op.lock(b), Op.lock(a), Op.unlock(a), Op.unlock(b)]);
        if (isEdited) m.task("younger", [...extra, ...extra]);
      });
    const { replayLine } = await explore(crossing(false), "model");
    expect(replayLine).toBe("model:model left right");
    const again = await replay(crossing(true), replayLine ?? "");
    expect(again.report).toMatchObject({ kind: "STALL", message: "left, right cannot go on" });
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
