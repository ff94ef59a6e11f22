import type { Rule } from "./rule.ts";
import type { SuiteOptions } from "./suite-options.ts";
import { targetSuite } from "./target-suite.ts";

/** What is needed of a test runner; vitest, node:test, Jest and Mocha all have it. */
export interface TestRunner {
  /** Groups tests. */
  readonly describe: (name: string, body: () => void) => unknown;
  /** Declares one test. */
  readonly test: (name: string, body: () => Promise<void>) => unknown;
}

/** Declares one test for each rule, in a group of the target's name. */
export function registerSuite(suite: SuiteOptions, { describe, test }: TestRunner): void {
  describe(`${suite.target.name} conforms`, () => {
    for (const rule of targetSuite(suite)) test(titleOf(rule), () => rule.check());
  });
}

/** The rule in words; an exception says so, and that is checked too. */
function titleOf({ name, says, exception }: Rule): string {
  const claim = exception === null ? "" : ` (not claimed, and not so: ${exception})`;
  return `${name}: ${says}${claim}`;
}
