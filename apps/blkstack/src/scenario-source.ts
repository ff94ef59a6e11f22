import { type Scenario } from "@blkstack/explorer";
import { loadScenarios } from "@blkstack/explorer/node";
import { scenarios } from "@blkstack/scenarios";
import { Option } from "commander";
import { UserError } from "./user-error.ts";
import { userModuleUrl } from "./user-module.ts";

/** Scenarios, and the module that worker threads import them from. */
export interface ScenarioSource {
  readonly module: string;
  readonly scenarios: readonly Scenario[];
}

/** `--from MODULE` of the commands that explore. */
export function fromOption(): Option {
  return new Option("--from <module>", "scenarios of yours: a path or a package, whose code runs");
}

/** The scenarios that come with the command line, or those of the user's module. */
export async function scenarioSource(
  from: string | undefined,
  cwd: string,
): Promise<ScenarioSource> {
  if (from === undefined) {
    return { module: import.meta.resolve("@blkstack/scenarios"), scenarios };
  }
  try {
    const module = userModuleUrl(from, cwd);
    const found = await loadScenarios(module);
    if (found.length > 0) return { module, scenarios: found };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new UserError(`--from ${from}: cannot be loaded: ${why}`, { cause });
  }
  throw new UserError(`--from ${from}: exports no scenario; it should export what defines one`);
}
