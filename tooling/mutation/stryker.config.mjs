const name = process.env.BLKSTACK_MUTATE;
if (name === undefined) throw new Error("BLKSTACK_MUTATE names the package, as in packages/");

/** @type {import("@stryker-mutator/api/core").PartialStrykerOptions} */
export default {
  testRunner: "vitest",
  plugins: ["@stryker-mutator/vitest-runner"],
  // A mutant must be noticed by the tests of its own package: those of others are not run.
  vitest: { configFile: "tooling/mutation/vitest.config.ts", related: false },
  mutate: [`packages/${name}/src/**/*.ts`, `!packages/${name}/src/**/*.test.ts`],
  coverageAnalysis: "perTest",
  // More at a time take turns on a small machine, and mutants that are only slow count as timeouts.
  concurrency: 1,
  reporters: ["clear-text", "json", process.stdout.isTTY ? "progress" : "progress-append-only"],
  clearTextReporter: { logTests: false },
  jsonReporter: { fileName: `temp/mutation/${name}.json` },
  incrementalFile: `temp/mutation/${name}.killed.json`,
  tempDirName: "temp/mutation/sandboxes",
  symlinkNodeModules: true,
  ignorePatterns: ["dist", ".turbo", "*.tsbuildinfo", "temp"],
};
