import type { Scenario } from "@blkstack/explorer";
import type { ScenarioSource } from "./scenario-source.ts";
import { UserError } from "./user-error.ts";

/** What `NAME` or `NAME:VARIANT` on the command line asks for; without a variant, all of them. */
export interface Wanted {
  readonly scenario: Scenario;
  /** Where worker threads import the scenario from. */
  readonly module: string;
  readonly variants: readonly string[];
  readonly isOne: boolean;
}

export function findScenario(text: string, { scenarios, module }: ScenarioSource): Wanted {
  const [name = "", variant] = text.split(/:(.*)/s);
  const scenario = scenarios.find((known) => known.name === name);
  if (scenario === undefined) {
    const known = scenarios.map((each) => each.name).join(", ");
    throw new UserError(`unknown scenario ${JSON.stringify(name)}; known are ${known}`);
  }
  const known = Object.keys(scenario.variants);
  if (variant === undefined) return { scenario, module, variants: known, isOne: false };
  if (known.includes(variant)) return { scenario, module, variants: [variant], isOne: true };
  throw new UserError(
    `scenario ${name} has no variant ${JSON.stringify(variant)}; it has ${known.join(", ")}`,
  );
}
