import { describe, test } from "vitest";
import { registerSuite } from "./suite/register.ts";
import type { SuiteOptions } from "./suite/suite-options.ts";

/** Some rules run hundreds of schedules. */
const TIMEOUT_MS = 120_000;

/** Declares the suite as tests of vitest. */
export function testTarget(suite: SuiteOptions): void {
  registerSuite(suite, {
    describe,
    test: (name, body) => {
      test(name, body, TIMEOUT_MS);
    },
  });
}
