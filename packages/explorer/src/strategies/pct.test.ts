import { AccessMode } from "@blkstack/task";
import { describe, expect, it } from "vitest";
import { explore } from "../explore.ts";
import { defineScenario } from "../scenario.ts";
import { pct } from "./pct.ts";

/** One polls until the other has said so: with the wrong one always in front it never ends. */
const polling = defineScenario({
  name: "polling",
  summary: "a task spins until another sets a flag",
  variants: { only: { expect: "ok", summary: "the only one" } },
  build(world) {
    const [flag, looks] = [world.cell("flag"), world.cell("looks")];
    world.spawn("spinner", async (task) => {
      // It counts its looks where all can see, so that no look leaves all as it was.
      do {
        await world.step(task, flag.use(AccessMode.Read, "poll"));
        looks.value += 1;
      } while (flag.value === 0);
    });
    world.spawn("setter", async (task) => {
      await world.step(task, flag.use(AccessMode.Write, "set"));
      flag.value = 1;
    });
  },
});

describe("PCT", () => {
  it("lets others pass whoever spins while they could run", async () => {
    const options = { strategy: pct({ depth: 1 }), executions: 40 };
    const report = await explore(polling, "only", { ...options, stepsMax: 3_000 });
    expect(report).toMatchObject({ verdict: "not-found", runs: 40 });
    // Half of the draws put the spinner in front: it has spun for long, or nothing was tested.
    expect(report.steps).toBeGreaterThan(10 * 1_000);
  });

  it("has no depth below one", () => {
    expect(() => pct({ depth: 0 })).toThrow(RangeError);
  });
});
