import { AccessMode } from "@blkstack/task";
import { describe, expect, it } from "vitest";
import { philosophers } from "../../test/deadlock-models.ts";
import { bioSplit, model, type Model, Op } from "../../test/models.ts";
import { explore } from "../explore.ts";
import type { ExploreOptions } from "../explore-options.ts";
import type { Report } from "../report.ts";
import { defineScenario, type World } from "../scenario.ts";

function run(build: Model, options: ExploreOptions = {}): Promise<Report> {
  return explore(model(build), "model", options);
}

function runWorld(build: (world: World) => void, options: ExploreOptions = {}): Promise<Report> {
  const variants = { only: { expect: "ok", summary: "the only one" } } as const;
  const scenario = defineScenario({ name: "test", summary: "a test", variants, build });
  return explore(scenario, "only", options);
}

/** Two tasks that each look at their own cell, and share a number of which nobody is told. */
const hidden: Model = (m) => {
  let shared = 0;
  const [mine, yours] = [m.cell("mine"), m.cell("yours")];
  m.task("reader", [Op.always("look at", mine, () => (mine.value = shared))]);
  m.task("writer", [Op.always("look at", yours, () => (shared = 1))]);
  m.atEnd(() => (mine.value === 1 ? ["the reader came late"] : []));
};

describe("what steps share without telling", () => {
  it("is missed by a reduction that is not audited", async () => {
    const report = await run(hidden, { strategy: "dpor", audits: "off" });
    expect(report).toMatchObject({ verdict: "proved", runs: 1 });
    expect(await run(hidden)).toMatchObject({ verdict: "found", kind: "WRONG" });
  });

  it.each([{ strategy: "dpor" }, { strategy: "portfolio", dedupe: "none" }] as const)(
    "takes the proof of $strategy away, and both steps are named",
    async (options) => {
      const report = await run(hidden, { ...options, audits: { commutation: 1 } });
      expect(report.verdict).toBe("found");
      if (options.strategy === "portfolio") return;
      expect(report).toMatchObject({ kind: "HIDDEN_SHARING", isComplete: false, foundAtRun: 1 });
      expect(report.message).toBe(
        '"reader: look at mine" and "writer: look at yours" share something that they do not tell ' +
          "of: the other way round, the run ended with nothing wrong, and then with WRONG: the reader came late",
      );
      expect(report.story).toContain("HIDDEN_SHARING  model:model   found in run 1 of 1");
    },
  );

  it("is seen by default where the proof leans on it", async () => {
    expect((await run(hidden, { strategy: "dpor" })).kind).toBe("HIDDEN_SHARING");
  });

  it("is seen by a guard that looks at what it does not announce", async () => {
    const report = await runWorld(
      (world) => {
        let isShut = false;
        const [door, window] = [world.cell("door"), world.cell("window")];
        const start = { startsAtFirstStep: true };
        world.spawn(
          "guest",
          (task) => world.step(task, door.use(AccessMode.Write, "enter by"), () => !isShut),
          start,
        );
        world.spawn(
          "porter",
          async (task) => {
            await world.step(task, window.use(AccessMode.Write, "look out of"));
            isShut = true;
          },
          start,
        );
      },
      { strategy: "dpor" },
    );
    expect(report).toMatchObject({ verdict: "found", kind: "HIDDEN_SHARING" });
    expect(report.message).toContain('was "guest: enter by door", which cannot be taken then');
  });

  it.each([
    ["philosophers", philosophers(4)],
    ["bios", bioSplit(2, 2, 3)],
  ])("is not suspected of %s", async (_name, build) => {
    const plain = await run(build, { strategy: "dpor", after: "all", audits: "off" });
    const audited = await run(build, {
      strategy: "dpor",
      after: "all",
      audits: { commutation: 1, determinism: 1 },
    });
    expect(audited.kind).toBe(plain.kind);
    expect(audited.verdict).toBe(plain.verdict);
    expect(audited.runs).toBe(plain.runs);
    expect(audited.failingRuns).toBe(plain.failingRuns);
    expect(audited.audited.determinism).toBe(plain.runs);
    expect(audited.audited.commutation).toBeGreaterThan(10);
    expect(plain.audited).toEqual({ determinism: 0, commutation: 0 });
  });

  it("is not looked for where every order is run", async () => {
    const report = await run(philosophers(2));
    expect(report.audited).toEqual({ determinism: 1, commutation: 0 });
  });
});

describe("a scenario that does not do the same twice", () => {
  it("is found, with the first step that differs", async () => {
    let builds = 0;
    const report = await runWorld((world) => {
      builds += 1;
      const cell = world.cell(builds === 2 ? "y" : "x");
      world.spawn("setter", async (task) => {
        await world.step(task, cell.use(AccessMode.Write, "set"));
      });
    });
    expect(report).toMatchObject({ verdict: "found", kind: "NONDETERMINISM" });
    expect(report.message).toBe(
      'after the same choices, step 2 was "setter: set x", and then is "setter: set y"',
    );
  });

  it("is found where only what it leaves differs", async () => {
    let builds = 0;
    const report = await runWorld((world) => {
      builds += 1;
      world.observe("builds", () => builds);
      world.spawn("idler", () => undefined);
    });
    expect(report.message).toBe('after the same choices, what was left was "1,", and then is "2,"');
  });

  it("is not claimed where a run was given up in a known state with nobody left to go on", async () => {
    const two: Model = (m) => {
      const [a, b] = [m.cell("a"), m.cell("b")];
      m.task("left", [Op.always("set", a, () => (a.value = 1))]);
      m.task("right", [Op.always("set", b, () => (b.value = 1))]);
    };
    const report = await run(two, { dedupe: "states", audits: { determinism: 1 } });
    expect(report).toMatchObject({ verdict: "proved", audited: { determinism: report.runs } });
    expect(report.runs).toBeGreaterThan(1);
  });

  it("is looked for in one run of a hundred, drawn by seed, and never counted as a run", async () => {
    const options = { strategy: "random", executions: 2_000, after: "all" } as const;
    const report = await run(philosophers(3), options);
    expect(report.runs).toBe(2_000);
    expect(report.audited.determinism).toBeGreaterThan(5);
    expect(report.audited.determinism).toBeLessThan(45);
    const again = await run(philosophers(3), options);
    expect(again.audited).toEqual(report.audited);
    const off = await run(philosophers(3), { ...options, audits: "off" });
    expect(off.failingRuns).toBe(report.failingRuns);
  });
});
