import { configDefaults, defineConfig } from "vitest/config";

const { BLKSTACK_MUTATE: name = "*", BLKSTACK_MUTATE_QUICK: quick = "" } = process.env;
/** Tests that try many schedules; what they alone notice is no survivor of a run with them. */
const EXPLORING = "**/*explored.test.ts";

/** The unit tests of one package, as Stryker wants them: without projects. */
export default defineConfig({
  resolve: { conditions: ["@blkstack/source"] },
  ssr: { resolve: { conditions: ["@blkstack/source"] } },
  test: {
    include: [`packages/${name}/{src,test}/**/*.test.ts`],
    exclude: [...configDefaults.exclude, ...(quick === "" ? [] : [EXPLORING])],
    // Watched by Stryker tests are slower, and it has a patience of its own with each mutant.
    testTimeout: 120_000,
  },
});
