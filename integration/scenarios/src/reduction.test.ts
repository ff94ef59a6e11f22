import { explore } from "@blkstack/explorer";
import { describe, expect, it } from "vitest";
import { scenarios } from "./index.ts";

const SLOW_MS = 240_000;

// Those that say how they are to be searched are reduced already, or too many to be run to the end.
const whole = scenarios
  .map((scenario) => {
    const variants = Object.entries(scenario.variants);
    return { scenario, variants: variants.filter(([, { strategy }]) => strategy === undefined) };
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
