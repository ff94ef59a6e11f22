import { describe, expect, it } from "vitest";
import { philosophers } from "../test/deadlock-models.ts";
import { model, type Model, Op } from "../test/models.ts";
import { explore } from "./explore.ts";
import { Runner } from "./run.ts";
import { isShortestOfAll } from "./shortest.ts";
import { SoftFollow } from "./soft-follow.ts";

/** Two who lock crosswise, two times, so that a deadlock can come early or late. */
const twice: Model = (m) => {
  const [a, b] = [m.cell("A"), m.cell("B")];
  const both = [Op.lock(a), Op.lock(b), Op.unlock(b), Op.unlock(a)];
  m.task("left", [...both, ...both]);
  m.task("right", [Op.lock(b), Op.lock(a), Op.unlock(a), Op.unlock(b)]);
};

describe("that no schedule fails in fewer steps", () => {
  it("is known when all that is shorter was run, and only then", async () => {
    const plan = { scenario: model(twice), variant: "model", seed: 1, stepsMax: 100 };
    const runner = new Runner(plan);
    const schedule = (steps: number): SoftFollow =>
      new SoftFollow([
        { actor: "left", steps, answers: [] },
        { actor: "right", steps: 1, answers: [] },
      ]);
    const early = await runner.record(schedule(1));
    const late = await runner.record(schedule(5));
    expect([early, late].map(({ outcome }) => outcome.finding?.kind)).toEqual(["STALL", "STALL"]);
    expect(await isShortestOfAll(runner, early)).toBe(true);
    expect(await isShortestOfAll(runner, late)).toBe(false);
  });

  it("is said under a strategy that has not seen every schedule", async () => {
    const report = await explore(model(twice), "model", { strategy: "dpor" });
    expect(report).toMatchObject({ verdict: "found", isShortest: true });
    expect(report.story).toContain("No schedule fails in fewer steps.");
  });

  it("is not said where finding out takes too long", async () => {
    const options = { strategy: "random", after: "first" } as const;
    const report = await explore(model(philosophers(7)), "model", options);
    expect(report).toMatchObject({ verdict: "found", isShortest: false });
    expect(report.trace?.steps.length).toBe(7);
  });
});
