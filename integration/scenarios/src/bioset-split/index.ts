import { defineScenario, type Scenario } from "@blkstack/explorer";
import { STORIES } from "./stories.ts";

/** The deadlock that the bio_set's rescuer was made for (2012), and all the ways to miss it. */
export const biosetSplit: Scenario = defineScenario({
  name: "bioset-split",
  summary: "a driver cuts bios into pieces from a pool that has too few of them for all",
  variants: STORIES,
  build(world, variant) {
    STORIES[variant]?.build(world);
  },
});
