import { describe, test } from "node:test";
import { registerSuite } from "./suite/register.ts";
import type { SuiteOptions } from "./suite/suite-options.ts";

/** Declares the suite as tests of node:test. */
export function testTarget(suite: SuiteOptions): void {
  registerSuite(suite, { describe, test });
}
