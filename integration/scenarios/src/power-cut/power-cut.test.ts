import { explore, replay } from "@blkstack/explorer";
import { describe, expect, it } from "vitest";
import { countsOf, cutAllAlong, LOTS } from "./budgets.ts";
import { powerCut } from "./index.ts";

const SLOW_MS = 240_000;
const variants = Object.entries(powerCut.variants);

describe("whenever the power goes", { timeout: SLOW_MS }, () => {
  const right = variants.filter(([, { expect: kind }]) => kind === "ok");

  it.each(right)("everything that was flushed is there: %s", async (variant) => {
    const result = await cutAllAlong(variant);
    const { states, images, distinctImages, sampledStates } = countsOf(result);
    for (const { verdict, story } of result.reports) expect(verdict, story).not.toBe("found");
    const tried = `${String(states)} states, ${String(images)} images of them`;
    console.log(`${variant}: ${tried}, ${String(distinctImages)} distinct`);
    expect(sampledStates).toBe(0);
    expect(distinctImages).toBeGreaterThan(10);
    expect(states).toBeGreaterThan(20);
  });

  it("each of them is tried in some schedules by lot", () => {
    expect(Object.keys(LOTS)).toEqual(right.map(([variant]) => variant));
  });
});

describe("a mistake is found", { timeout: SLOW_MS }, () => {
  const wrong = variants.filter(([, { expect: kind }]) => kind !== "ok");

  it.each(wrong)("%s", async (variant, { expect: kind }) => {
    const { reports } = await cutAllAlong(variant);
    const last = reports.at(-1);
    expect(last).toMatchObject({ verdict: "found", kind });
    expect(last?.replayLine).toMatch(/ @cut=\d+:\w*$/);
  });
});

it("a cut is repeated by its line", { timeout: SLOW_MS }, async () => {
  const options = { strategy: "preemptions", executions: 1, after: "first" } as const;
  const { replayLine, message } = await explore(powerCut, "header-hurried", options);
  const { isSame, report } = await replay(powerCut, replayLine ?? "");
  expect([isSame, report.message, report.replayLine]).toEqual([true, message, replayLine]);
});
