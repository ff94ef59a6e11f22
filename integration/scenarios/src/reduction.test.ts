import { explore } from "@blkstack/explorer";
import { describe, expect, it } from "vitest";
import { scenarios } from "./index.ts";

const SLOW_MS = 240_000;

describe.each(scenarios.map((scenario) => [scenario.name, scenario] as const))(
  "%s, reduced to one schedule of each class",
  (_name, scenario) => {
    it.each(Object.entries(scenario.variants))(
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
