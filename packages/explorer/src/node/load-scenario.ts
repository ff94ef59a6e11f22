import type { Scenario } from "../scenario.ts";

/** Where a worker finds a scenario, which is code and does not travel. */
export interface ScenarioModule {
  /** Of a module that exports the scenario, alone or in a list: `import.meta.url`, for one. */
  readonly module: URL | string;
  /** The scenario's `name`. */
  readonly name: string;
}

/** Thrown when a module does not export the scenario. */
export class ScenarioModuleError extends Error {
  override readonly name = "ScenarioModuleError";
}

/** All scenarios that a module exports, alone or in lists. Throws what importing it throws. */
export async function loadScenarios(module: URL | string): Promise<Scenario[]> {
  const exported = Object.values((await import(String(module))) as Record<string, unknown>);
  return exported.flat().filter(isScenario);
}

/** Imports the module. Throws what that throws, and a ScenarioModuleError. */
export async function loadScenario({ module, name }: ScenarioModule): Promise<Scenario> {
  const url = String(module);
  const found = await loadScenarios(module);
  const wanted = found.find((scenario) => scenario.name === name);
  if (wanted !== undefined) return wanted;
  const names = found.map((scenario) => scenario.name).join(", ");
  throw new ScenarioModuleError(`${url} exports no scenario "${name}"; it has: ${names || "none"}`);
}

function isScenario(value: unknown): value is Scenario {
  return typeof value === "object" && value !== null && "build" in value && "variants" in value;
}
