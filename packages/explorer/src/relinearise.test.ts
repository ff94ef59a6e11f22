import { describe, expect, it } from "vitest";
import { philosophers } from "../test/deadlock-models.ts";
import { bioSplit, model, type Model } from "../test/models.ts";
import { mustStayBehind, type Footprint } from "./footprint.ts";
import { fewestSwitches } from "./relinearise.ts";
import { stretchesOf } from "./replay-line.ts";
import { Runner, STEPS_MAX } from "./run.ts";
import { SoftFollow } from "./soft-follow.ts";
import { random } from "./strategy.ts";

const SEEDS = Array.from({ length: 30 }, (_, index) => index + 1);
const MODELS: readonly [string, Model][] = [
  ["philosophers(5)", philosophers(5)],
  ["bioSplit(3,2,3)", bioSplit(3, 2, 3)],
];

function runnerOf(build: Model): Runner {
  return new Runner({ scenario: model(build), variant: "model", seed: 1, stepsMax: STEPS_MAX });
}

/** How often another actor goes on: at least once for each that has a step, and never less. */
function switches(order: readonly Footprint[]): number {
  return order.filter(({ actor }, index) => index > 0 && order[index - 1]?.actor !== actor).length;
}

describe.each(MODELS)("the steps of a run of %s in another order", (_name, build) => {
  it("are the same steps, with what depends on each other where it was, also when in haste", async () => {
    const runner = runnerOf(build);
    for (const seed of SEEDS) {
      const { recorder } = await runner.record(random(seed));
      const { footprints } = recorder;
      for (const order of [fewestSwitches(footprints), fewestSwitches(footprints, 0)]) {
        expect(new Set(order)).toEqual(new Set(footprints));
        const places = new Map(order.map((step, place) => [step, place]));
        for (const [index, later] of footprints.entries()) {
          for (const earlier of footprints.slice(0, index)) {
            if (!mustStayBehind(later, earlier)) continue;
            expect(places.get(later)).toBeGreaterThan(places.get(earlier) ?? Infinity);
          }
        }
      }
    }
  });

  it("lead to the same end, with fewer preemptions, and in haste with no more than a few", async () => {
    const runner = runnerOf(build);
    const sums = { before: 0, best: 0, hasty: 0 };
    for (const seed of SEEDS) {
      const { recorder, outcome } = await runner.record(random(seed));
      sums.before += recorder.preemptions;
      for (const [key, statesMax] of [["best", 40_000] as const, ["hasty", 0] as const]) {
        const order = fewestSwitches(recorder.footprints, statesMax);
        expect(switches(order)).toBeLessThanOrEqual(recorder.steps.length - 1);
        const again = await runner.record(new SoftFollow(stretchesOf(order)));
        expect(again.outcome.finding).toEqual(outcome.finding);
        sums[key] += again.recorder.preemptions;
      }
    }
    expect(sums.best).toBeLessThan(sums.before / 2);
    expect(sums.hasty).toBeLessThan(sums.before);
    expect(sums.best).toBeLessThanOrEqual(sums.hasty);
  });
});
