import { explore } from "@blkstack/explorer";
import { describe, expect, it } from "vitest";
import { scenarios } from "./index.ts";

const SLOW_MS = 240_000;

/** Proved with equal states merged; one schedule of each class is still more than there is time for. */
const LARGE = new Set(["pool-by-rule", "may-fail"]);

// Those that say how they are to be searched are reduced already, or too many to be run to the end.
const whole = scenarios
  .map((scenario) => {
    const variants = Object.entries(scenario.variants);
    const reducible = variants.filter(
      ([name, { strategy }]) => strategy === undefined && !LARGE.has(name),
    );
    return { scenario, variants: reducible };
  })
  .filter(({ scenario, variants }) => variants.length > 0 && scenario.name !== "power-cut");

describe.each(whole.map(({ scenario, variants }) => [scenario.name, scenario, variants] as const))(
  "%s, reduced to one schedule of each class",
  (_name, scenario, variants) => {
    it.each(variants)(
      "%s comes to the same",
      { timeout: SLOW_MS },
      async (variant, { expect: kind }) => {
        const report = await explore(scenario, variant, { strategy: "dpor", after: "all" });
        const { verdict, isComplete } = report;
        expect({ verdict, isComplete, kind: report.kind ?? "ok" }).toEqual({
          verdict: kind === "ok" ? "proved" : "found",
          isComplete: true,
          kind,
        });
      },
    );
  },
);
