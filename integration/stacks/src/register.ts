import type { TestRunner } from "@blkstack/conformance";
import { assertSameAsModel, runStacks, type RunStacksOptions } from "./run-stacks.ts";

/** Declares a test that holds random stacks to their models; vitest, node:test, Jest and Mocha will do. */
export function registerStacks(options: RunStacksOptions, { describe, test }: TestRunner): void {
  const { world, stacks, seed } = options;
  describe(`random stacks, ${world === "real" ? "for real" : "explored"}`, () => {
    test(`${String(stacks)} from seed ${String(seed)} on do as the model`, async () => {
      assertSameAsModel(await runStacks(options));
    });
  });
}
