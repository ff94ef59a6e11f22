import { BioStatus } from "@blkstack/bio";
import { AccessMode } from "@blkstack/task";
import { describe, expect, it } from "vitest";
import { explore } from "./explore.ts";
import type { ExploreOptions } from "./explore-options.ts";
import { replay } from "./replay.ts";
import type { Report } from "./report.ts";
import { defineScenario, type Scenario, type World } from "./scenario.ts";
import { STRATEGY_NAMES } from "./strategies/named.ts";
import { parseTrace } from "./trace.ts";

function scenario(build: (world: World) => void): Scenario {
  const variants = { only: { expect: "ok", summary: "the only one" } } as const;
  return defineScenario({ name: "test", summary: "a test", variants, build });
}

function run(build: (world: World) => void, options: ExploreOptions = {}): Promise<Report> {
  return explore(scenario(build), "only", options);
}

/** Tasks that each try so often to get memory, each try a step of its own. */
function allocating(tasks: number, tries: number, failures: string[] = []) {
  return (world: World): void => {
    let failed = "";
    for (let t = 0; t < tasks; t += 1) {
      const cell = world.cell(`cell ${String(t)}`);
      const use = cell.use(AccessMode.Write, "fill");
      world.spawn(
        `task ${String(t)}`,
        async (task) => {
          for (let i = 0; i < tries; i += 1) {
            await world.step(task, use);
            const site = `slab ${String(t)}.${String(i)}`;
            if (world.scheduler.faults.allocFails(site)) failed += `${site};`;
          }
        },
        { startsAtFirstStep: true },
      );
    }
    world.atEnd(() => {
      failures.push(failed);
      return [];
    });
  };
}

describe("a choice that a scenario asks for", () => {
  const weather =
    (seen: string[] = []) =>
    (world: World): void => {
      const sky = world.cell("sky");
      world.spawn("walker", async (task) => {
        await world.step(task, sky.use(AccessMode.Write, "look at"));
        const what = world.chooseOf("the weather", ["sun", "rain", "snow"]);
        seen.push(what);
        sky.value = world.choose("an umbrella", 2) === 0 && what === "rain" ? 1 : 0;
      });
      world.atEnd(() => (sky.value === 1 ? ["wet"] : []));
    };

  it("takes every value, the first one first", async () => {
    const seen: string[] = [];
    const report = await run(weather(seen), { after: "all", audits: "off" });
    expect(report).toMatchObject({ runs: 6, failingRuns: 1, verdict: "found" });
    expect(seen.slice(0, 6)).toEqual(["sun", "sun", "rain", "rain", "snow", "snow"]);
  });

  it.each(STRATEGY_NAMES)("is made by %s, told by name and repeated from a line", async (name) => {
    const report = await run(weather(), { strategy: name });
    expect(report).toMatchObject({ verdict: "found", kind: "WRONG" });
    expect(report.story).toContain("look at sky; the weather: rain");
    expect(report.replayLine).toBe("test:only walker*2=1");
    const again = await replay(scenario(weather()), report.replayLine ?? "");
    expect(again.report).toMatchObject({ kind: "WRONG", message: "wet" });
  });

  it("is refused while the scenario is built", async () => {
    await expect(
      run((world) => {
        world.choose("a side", 2);
      }),
    ).rejects.toThrow("a side: a choice while the scenario is built; let a task ask for it");
  });
});

describe("memory that fails by chance", () => {
  it.each([
    [0, 1],
    [1, 4],
    [2, 7],
    [3, 8],
    [9, 8],
  ])("at most %i times in one run takes %i runs for three attempts", async (allocFail, runs) => {
    const report = await run(allocating(1, 3), { faults: { allocFail } });
    expect(report).toMatchObject({ verdict: "proved", runs });
    const all = await run(allocating(1, 3), { faults: { allocFail }, strategy: "dpor" });
    expect(all).toMatchObject({ verdict: "proved", runs });
  });

  it("strikes any task, once for all, and reduction need not mind in which order", async () => {
    const failures: string[] = [];
    const options = { faults: { allocFail: 1 }, audits: "off" } as const;
    const all = await run(allocating(2, 1, failures), options);
    expect(all).toMatchObject({ verdict: "proved", runs: 6 });
    expect(new Set(failures)).toEqual(new Set(["", "slab 0.0;", "slab 1.0;"]));
    const reduced = await run(allocating(2, 1), { ...options, strategy: "dpor" });
    expect(reduced).toMatchObject({ verdict: "proved", schedules: 3 });
    const merged = await run(allocating(2, 2), { ...options, dedupe: "states" });
    expect(merged.verdict).toBe("proved");
  });

  it("finds nothing hidden between those who share the budget", async () => {
    const report = await run(allocating(3, 2), {
      ...{ strategy: "dpor", faults: { allocFail: 2 } },
      audits: { commutation: 1, determinism: 1 },
    });
    expect(report.verdict).toBe("proved");
    expect(report.audited.commutation).toBeGreaterThan(0);
  });

  const fragile = (world: World): void => {
    const bowl = world.cell("bowl");
    const use = bowl.use(AccessMode.Write, "fill");
    for (const name of ["a", "b"]) {
      world.spawn(
        name,
        async (task) => {
          for (let i = 0; i < 2; i += 1) {
            await world.step(task, use);
            if (world.scheduler.faults.allocFails(`slab ${name}`)) bowl.value += 1;
          }
        },
        { startsAtFirstStep: true },
      );
    }
    world.atEnd(() => (bowl.value > 1 ? ["broken"] : []));
  };

  it.each(STRATEGY_NAMES)("is found by %s with its budget, and repeated", async (strategy) => {
    expect(await run(fragile, { strategy, executions: 500 })).toMatchObject({ failingRuns: 0 });
    const one = await run(fragile, { strategy, executions: 500, faults: { allocFail: 1 } });
    expect(one.failingRuns).toBe(0);
    const report = await run(fragile, { strategy, faults: { allocFail: 3 } });
    expect(report).toMatchObject({ verdict: "found", conditions: { faults: { allocFail: 3 } } });
    // Made smaller: no more of them than it takes.
    const notes = report.trace?.steps.flatMap((step) => step.notes) ?? [];
    expect(notes.filter((note) => /^allocation of slab [ab] fails$/.test(note))).toHaveLength(2);
    expect(report.replayLine).toMatch(/^test:only \+alloc-fail=3 /);
    const again = await replay(scenario(fragile), report.replayLine ?? "");
    expect(again.report.message).toBe("broken");
    const traced = await replay(scenario(fragile), parseTrace(JSON.stringify(report.trace)));
    expect(traced.isSame).toBe(true);
  });

  it("is part of what a proof says", async () => {
    const { story } = await run(allocating(1, 2), { faults: { allocFail: 1 } });
    expect(story).toBe(
      "OK  test:only   proved: 3 runs, all schedules, with at most 1 failing allocation, at the granularity of announced steps",
    );
    const drawn = await run(allocating(1, 2), {
      ...{ strategy: "random", executions: 5 },
      faults: { ioError: 2, ioStatuses: [BioStatus.IoError, BioStatus.Medium] },
    });
    expect(drawn.story).toContain(
      "not all schedules; with at most 2 failing bios (EIO or ENODATA)",
    );
  });

  it("is as the variant says, unless the options say otherwise", async () => {
    const given = defineScenario({
      ...scenario(allocating(1, 3)),
      variants: { only: { expect: "ok", summary: "with one", faults: { allocFail: 1 } } },
    });
    expect(await explore(given, "only")).toMatchObject({ runs: 4 });
    expect(await explore(given, "only", { faults: { allocFail: 0 } })).toMatchObject({ runs: 1 });
  });

  it("has a budget that is a whole number", () => {
    expect(() => run(allocating(1, 1), { faults: { allocFail: -1 } })).toThrow(RangeError);
    expect(() => run(allocating(1, 1), { faults: { ioError: 0.5 } })).toThrow(RangeError);
  });
});

describe("a disk that fails by chance", () => {
  it("ends a bio with each of the statuses, within the budget", async () => {
    const ends = new Set<string>();
    const report = await run(
      (world) => {
        const disk = world.cell("disk");
        world.spawn("writer", async (task) => {
          let told = "";
          for (let i = 0; i < 2; i += 1) {
            await world.step(task, disk.use(AccessMode.Write, "write to"));
            told += `${String(world.scheduler.faults.ioStatus(`WRITE sda [${String(i)}]`))} `;
          }
          ends.add(told.trim());
        });
      },
      { faults: { ioError: 1, ioStatuses: [BioStatus.IoError, BioStatus.Medium] } },
    );
    expect(report).toMatchObject({ verdict: "proved", runs: 5 });
    expect([...ends].sort()).toEqual(["0 0", "0 10", "0 7", "10 0", "7 0"]);
  });
});
