import { describe, expect, it } from "vitest";
import { lostWakeup, philosophers, pool } from "../../test/deadlock-models.ts";
import { bioSplit, type Model, model, Op } from "../../test/models.ts";
import { randomMoves, scenarioOfMoves } from "../../test/random-classes.ts";
import { explore } from "../explore.ts";
import { type Report, type TallyCounts } from "../report.ts";
import { defineScenario, type Scenario } from "../scenario.ts";
import { Xorshift } from "../strategy.ts";
import { type CampaignOptions, jobPlanOf, runCampaign } from "./campaign.ts";
import { type Job, type JobResult, runJob } from "./job.ts";
import type { Hand } from "./work-off.ts";

/** Does its jobs in this thread, as data that could have come from another. */
class LocalHand implements Hand {
  readonly #scenario: Scenario;
  readonly #options: CampaignOptions;
  #stopping = new AbortController();

  constructor(scenario: Scenario, options: CampaignOptions) {
    this.#scenario = scenario;
    this.#options = options;
  }

  run(job: Job, onProgress: (tally: TallyCounts) => void): Promise<JobResult> {
    this.#stopping = new AbortController();
    const plan = jobPlanOf(this.#scenario, "model", this.#options);
    const options = { signal: this.#stopping.signal, onProgress };
    return runJob(this.#scenario, plan, structuredClone(job), options);
  }

  stop(): void {
    this.#stopping.abort();
  }
}

function divided(scenario: Scenario, hands: number, options: CampaignOptions): Promise<Report> {
  const hire = (): Hand => new LocalHand(scenario, options);
  return runCampaign(scenario, "model", options, { size: hands, hire });
}

/** Tasks that each take one lock; then something of their own. */
function mutexes(count: number): Model {
  return (m) => {
    const lock = m.cell("m");
    for (let task = 0; task < count; task += 1) {
      const own = m.cell(`own ${String(task)}`);
      m.task(`t${String(task)}`, [Op.lock(lock), Op.give(own), Op.unlock(lock)]);
    }
  };
}

const programs: Readonly<Record<string, Scenario>> = {
  "mutex(4)": model(mutexes(4)),
  "phil(3)": model(philosophers(3)),
  "pool(3,2,3)": model(pool(3, 2, 3)),
  "bioSplit(2,2,2)": model(bioSplit(2, 2, 2)),
  "lost wake-up": model(lostWakeup),
};

/** A step that asks for outcomes, before and after the place where the search is divided. */
const outcomes = defineScenario({
  name: "outcomes",
  summary: "two tasks that draw",
  variants: { model: { expect: "ok", summary: "the only one" } },
  build(world) {
    const cell = world.cell("sum");
    for (const name of ["a", "b"]) {
      world.spawn(name, async (task) => {
        for (let draw = 0; draw < 2; draw += 1) {
          await world.step(task, cell.use(0, "draw"));
          cell.value += world.scheduler.choose(`of ${name}`, 2);
        }
      });
    }
  },
});

describe("a search in parts", () => {
  it.each(Object.entries({ ...programs, outcomes }))(
    "of %s counts every schedule once, whatever the number of hands",
    async (_name, scenario) => {
      const whole = await explore(scenario, "model", { after: "all" });
      for (const hands of [1, 2, 5]) {
        const { runs, schedules, steps, failingRuns, isComplete, verdict } = await divided(
          scenario,
          hands,
          { after: "all" },
        );
        const expected = { runs: whole.runs, steps: whole.steps, schedules: whole.schedules };
        expect({ runs, steps, schedules }).toEqual(expected);
        expect({ failingRuns, isComplete, verdict }).toEqual({
          failingRuns: whole.failingRuns,
          isComplete: true,
          verdict: whole.verdict,
        });
      }
    },
  );

  it.each(Object.entries({ ...programs, outcomes, "phil(6)": model(philosophers(6)) }))(
    "of %s counts every class of schedules once, by dpor",
    async (_name, scenario) => {
      const options = { after: "all", strategy: "dpor" } as const;
      const whole = await explore(scenario, "model", options);
      for (const hands of [1, 2, 5]) {
        const { schedules, failingRuns, isComplete } = await divided(scenario, hands, options);
        expect({ schedules, failingRuns, isComplete }).toEqual({
          schedules: whole.schedules,
          failingRuns: whole.failingRuns,
          isComplete: true,
        });
      }
    },
  );

  it("of 300 random programs counts every class once", { timeout: 60_000 }, async () => {
    const lots = new Xorshift(11);
    let inParts = 0;
    for (let program = 0; program < 300; program += 1) {
      const scenario = scenarioOfMoves(randomMoves(lots));
      const options = { after: "all", strategy: "dpor" } as const;
      const whole = await explore(scenario, "model", options);
      const parts = await divided(scenario, 1 + lots.below(3), options);
      expect(parts.schedules).toBe(whole.schedules);
      expect(parts.failingRuns).toBe(whole.failingRuns);
      if (parts.runs > 20) inParts += 1;
    }
    expect(inParts).toBeGreaterThan(50);
  });

  it("stops all parts at a failure, and makes it as small as one thread does", async () => {
    const scenario = model(philosophers(5));
    const options = { strategy: "dpor", after: "first" } as const;
    const report = await divided(scenario, 3, options);
    expect(report).toMatchObject({ kind: "STALL", endedBy: "found", preemptions: 1 });
    expect(report.replayLine).not.toBeNull();
  });

  it("keeps to its budget of runs, about, and says so", async () => {
    const options = { after: "all", executions: 500 } as const;
    const report = await divided(model(philosophers(5)), 2, options);
    expect(report).toMatchObject({ endedBy: "executions", isComplete: false });
    expect(report.runs).toBeGreaterThanOrEqual(500);
  });
});

describe("lots drawn in parts", () => {
  const scenario = model(bioSplit(3, 2, 3));

  it.each(["random", "urw", "pos", "pct"] as const)(
    "come to the same report by %s whatever the number of hands",
    async (strategy) => {
      for (const after of ["first", "all"] as const) {
        const options = { strategy, after, seed: 3, depth: 5, executions: 1_100 };
        const reports = [];
        for (const hands of [1, 2, 4]) {
          const report = await divided(scenario, hands, options);
          reports.push({ ...report, elapsedMs: 0 });
        }
        expect(reports[1]).toEqual(reports[0]);
        expect(reports[2]).toEqual(reports[0]);
        expect(reports[0]?.verdict).toBe("found");
        if (after === "all") expect(reports[0]?.runs).toBe(1_100);
      }
    },
  );

  it("differ from part to part, and from seed to seed", async () => {
    const found = new Set<number>();
    for (const seed of [1, 2, 3, 4]) {
      const options = { strategy: "random", after: "all", seed, executions: 750 } as const;
      found.add((await divided(scenario, 2, options)).failingRuns);
    }
    expect(found.size).toBeGreaterThan(1);
  });
});
