import type { Scenario } from "@blkstack/explorer";
import { scenarioOf } from "../story.ts";
import { STORIES } from "./stories.ts";

/** The deadlock in which blk_rq_map_kern_sg was discussed (2009), and the ways out of it and of a mapping. */
export const bouncedRequest: Scenario = scenarioOf(
  "bounced-request",
  "requests of several bios, of which each needs a stand-in and pages from a reserve",
  STORIES,
);
