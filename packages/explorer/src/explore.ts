import type { ExploreOptions } from "./explore-options.ts";
import type { Report } from "./report.ts";
import type { Scenario } from "./scenario.ts";
import { Search } from "./search.ts";
import { reportOf } from "./search-report.ts";

/**
 * Runs a scenario under one schedule after the other, until something is found, all were run, or
 * the budget is spent. Throws what the scenario's `build` throws.
 */
export function explore(
  scenario: Scenario,
  variant: string,
  options: ExploreOptions = {},
): Promise<Report> {
  const search = new Search(scenario, variant, options);
  return search.run().then((end) => reportOf(search.runner, end, options.story));
}
