import { defineConfig } from "vitest/config";

const { BLKSTACK_MUTATE: name = "*" } = process.env;

/** The unit tests of one package, as Stryker wants them: without projects. */
export default defineConfig({
  resolve: { conditions: ["@blkstack/source"] },
  ssr: { resolve: { conditions: ["@blkstack/source"] } },
  test: {
    include: [`packages/${name}/{src,test}/**/*.test.ts`],
    // Watched by Stryker tests are slower, and it has a patience of its own with each mutant.
    testTimeout: 120_000,
  },
});
