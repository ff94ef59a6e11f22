import { describe, expect, it } from "vitest";
import { philosophers } from "../test/deadlock-models.ts";
import { bioSplit, model } from "../test/models.ts";
import { explore } from "./explore.ts";
import type { Progress } from "./report.ts";

/** All schedules of four philosophers. */
const PHIL4_RUNS = 98_184;
const phil3 = model(philosophers(3));

describe("a budget that ends", () => {
  it("is no error: the report says what ended the search and what was allowed", async () => {
    const report = await explore(model(philosophers(2)), "model", { executions: 1, stepsMax: 99 });
    expect(report).toMatchObject({
      verdict: "not-found",
      endedBy: "executions",
      limits: { executions: 1, seconds: null, stepsMax: 99, statesMax: null },
    });
    const late = await explore(model(philosophers(5)), "model", { seconds: 0, after: "all" });
    expect(late).toMatchObject({ endedBy: "seconds", isComplete: false });
  });

  it("says that all was run when it was, and found when enough was found", async () => {
    expect(await explore(phil3, "model", { after: "all" })).toMatchObject({ endedBy: "all-run" });
    expect(await explore(phil3, "model", { after: "first" })).toMatchObject({ endedBy: "found" });
  });
});

describe("a table of states that is full", () => {
  it("costs runs and overlooks nothing", async () => {
    const all = { after: "all", dedupe: "states" } as const;
    const every = await explore(phil3, "model", { after: "all" });
    let runsBefore = (await explore(phil3, "model", all)).runs;
    for (const statesMax of [60, 30, 10, 1]) {
      const capped = await explore(phil3, "model", { ...all, statesMax });
      expect(capped).toMatchObject({
        verdict: "found",
        isComplete: true,
        isStateTableFull: true,
        states: statesMax,
        limits: { statesMax },
      });
      expect(capped.runs).toBeGreaterThanOrEqual(runsBefore);
      runsBefore = capped.runs;
    }
    expect(runsBefore).toBeLessThanOrEqual(every.runs);
    const pool = model(bioSplit(3, 2, 3));
    const found = await explore(pool, "model", { ...all, statesMax: 100, after: "first" });
    expect(found.verdict).toBe("found");
  });
});

describe("what is known of the runs to come", () => {
  it("is about as many as come, once the choices behind tell how many alternatives there are", async () => {
    const seen: Progress[] = [];
    const onProgress = (now: Progress): void => void seen.push(now);
    const options = { after: "all", executions: 12_000, onProgress } as const;
    await explore(model(philosophers(4)), "model", options);
    expect(seen.length).toBeGreaterThan(0);
    for (const { runs, runsLeft, stepsPerSecond, runsPerSecond } of seen) {
      const reckoned = runs + (runsLeft ?? 0);
      expect(reckoned).toBeGreaterThan(PHIL4_RUNS / 10);
      expect(reckoned).toBeLessThan(PHIL4_RUNS * 10);
      expect(stepsPerSecond).toBeGreaterThan(runsPerSecond);
    }
  });
});

describe("coverage", () => {
  it("counts orders of uses, and pairs of which one used an object after the other", async () => {
    const options = { after: "all", coverage: true } as const;
    const all = await explore(phil3, "model", options);
    const reduced = await explore(phil3, "model", { ...options, strategy: "dpor" });
    // Each of seven orders is run whole; three forks change hands in both directions.
    expect(all.coverage).toEqual({ orders: 7, handOffs: 6 });
    expect(reduced.coverage).toEqual(all.coverage);
    expect((await explore(phil3, "model", { after: "all" })).coverage).toBeNull();
  });
});
