import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

/** What takes longer hangs; how busy the machine is must not decide. */
const HANGS_MS = 120_000;

export default defineConfig({
  // Tests read the sources, so that they need no build.
  resolve: { conditions: ["@blkstack/source"] },
  ssr: { resolve: { conditions: ["@blkstack/source"] } },
  test: {
    // The runner itself has next to nothing to do: on two processors two files run at a time.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: [
            "packages/*/{src,test}/**/*.test.ts",
            // What the generator makes packages from is a target itself.
            "packages/create-target/template/src/**/*.test.ts",
          ],
          testTimeout: HANGS_MS,
        },
      },
      {
        extends: true,
        test: {
          name: "apps",
          include: ["apps/*/{src,test}/**/*.test.ts"],
          testTimeout: HANGS_MS,
        },
      },
      {
        extends: true,
        test: {
          name: "scenarios",
          include: ["integration/scenarios/**/*.test.ts"],
          testTimeout: HANGS_MS,
        },
      },
      {
        extends: true,
        test: {
          name: "stacks",
          include: ["integration/stacks/src/**/*.test.ts"],
          testTimeout: HANGS_MS,
        },
      },
      {
        // Real clients against the built command line: they measure nothing, and mostly wait.
        extends: true,
        test: {
          name: "interop",
          include: ["integration/interop/test/**/*.interop.test.ts"],
          testTimeout: 180_000,
          hookTimeout: 120_000,
        },
      },
      {
        // Our packages as they are published, where nothing of the checkout is near.
        extends: true,
        test: {
          name: "consumers",
          include: ["integration/consumers/test/**/*.consumers.test.ts"],
          testTimeout: HANGS_MS,
        },
      },
      {
        extends: true,
        test: { name: "tooling", include: ["tooling/*.test.ts"], testTimeout: 60_000 },
      },
      {
        extends: true,
        test: {
          name: "types",
          include: [],
          typecheck: {
            enabled: true,
            only: true,
            include: ["packages/*/test/**/*.test-d.ts"],
            tsconfig: "./tsconfig.test-d.json",
          },
        },
      },
    ],
  },
});
