import { GfpBit } from "@blkstack/task";
import { FlagShrinker } from "./flag-shrinker.ts";
import type { ShrinkerGeneration } from "./generation.ts";

/**
 * As it was until 2014: whoever may start I/O waits for the lock, and for I/O. But I/O may end only
 * when somebody gets a lock of a filesystem, and whoever is short of memory may hold that.
 */
export const ioFlag: ShrinkerGeneration = {
  name: "io-flag",
  create: (cache) => new FlagShrinker(cache, GfpBit.Io),
};
