import { GfpBit } from "@blkstack/task";
import { FlagShrinker } from "./flag-shrinker.ts";
import type { ShrinkerGeneration } from "./generation.ts";

/**
 * As it was from 2014 to 2019: only who may enter a filesystem waits for the lock and for I/O. A
 * worker that this I/O needs, and that is short of memory itself, may wait for the same lock.
 */
export const fsFlag: ShrinkerGeneration = {
  name: "fs-flag",
  create: (cache) => new FlagShrinker(cache, GfpBit.Fs),
};
