import type { Scenario } from "@blkstack/explorer";
import { scenarios } from "@blkstack/scenarios";
import { UserError } from "./user-error.ts";

/** What `NAME` or `NAME:VARIANT` on the command line asks for; without a variant, all of them. */
export interface Wanted {
  readonly scenario: Scenario;
  readonly variants: readonly string[];
  readonly isOne: boolean;
}

export function findScenario(text: string): Wanted {
  const [name = "", variant] = text.split(/:(.*)/s);
  const scenario = scenarios.find((known) => known.name === name);
  if (scenario === undefined) {
    const known = scenarios.map((each) => each.name).join(", ");
    throw new UserError(`unknown scenario ${JSON.stringify(name)}; known are ${known}`);
  }
  const known = Object.keys(scenario.variants);
  if (variant === undefined) return { scenario, variants: known, isOne: false };
  if (known.includes(variant)) return { scenario, variants: [variant], isOne: true };
  throw new UserError(
    `scenario ${name} has no variant ${JSON.stringify(variant)}; it has ${known.join(", ")}`,
  );
}
