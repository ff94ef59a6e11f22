import type { Scenario } from "@blkstack/explorer";
import { biosetSplit } from "./bioset-split/index.ts";

/** All that can be explored, in the order in which it is listed. */
export const scenarios: readonly Scenario[] = [biosetSplit];
