import type { Scenario } from "@blkstack/explorer";
import { scenarioOf } from "../story.ts";
import { backgroundReclaim } from "./background.ts";
import { pagesFor, twoPagesEach } from "./direct.ts";
import { ownElements } from "./own-elements.ts";
import { swapping, swapUnderLock } from "./swapping.ts";

/** Tasks that need pages of which there are too few, and who has to give theirs. */
export const memoryShort: Scenario = scenarioOf(
  "memory-short",
  "pages run out, and whoever asks for one has to have others give theirs",
  {
    "one-page-each": pagesFor(3),
    "two-pages-each": twoPagesEach(2, "DEADLOCK", "each has one page and waits for a second"),
    "two-of-three": twoPagesEach(3, "ok", "there is one more than both can have and still wait"),
    "background-waits": backgroundReclaim({
      handsOver: false,
      expect: "DEADLOCK",
      summary: "background reclaim waits for I/O of a device whose admin waits for a page",
    }),
    "background-hands-over": backgroundReclaim({
      handsOver: true,
      expect: "ok",
      summary: "the cache leaves the writing to a worker, so background reclaim gets to the next",
    }),
    "nofs-swaps": swapping(false, "ok", "a filesystem may have others swapped out"),
    "joined-scopes": swapping(true, "STALL", "who may not enter a filesystem may not swap either"),
    "swap-under-lock": swapUnderLock(
      false,
      "DEADLOCK",
      "the swap device is locked by the task that reclaims",
    ),
    "swap-noio": swapUnderLock(true, "ok", "a noio scope keeps the holder of the lock out of it"),
    "own-elements": ownElements("STALL", "a task waits for a pool of which it has all elements"),
  },
);
