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

/** Imports the module. Throws what that throws, and a ScenarioModuleError. */
export async function loadScenario({ module, name }: ScenarioModule): Promise<Scenario> {
  const url = String(module);
  const exported = Object.values((await import(url)) as Record<string, unknown>).flat();
  const found = exported.filter(isScenario);
  const wanted = found.find((scenario) => scenario.name === name);
  if (wanted !== undefined) return wanted;
  const names = found.map((scenario) => scenario.name).join(", ");
  throw new ScenarioModuleError(`${url} exports no scenario "${name}"; it has: ${names || "none"}`);
}

function isScenario(value: unknown): value is Scenario {
  return typeof value === "object" && value !== null && "build" in value && "variants" in value;
}
