import { fsFlag, ioFlag, type ShrinkerGeneration, trylockAlways, workQueue } from "@blkstack/bufio";
import { locksAlways } from "./wrong-shrinkers.ts";

/** How a cache gives memory back, and what the allocator makes of the mask before. */
export interface Generation {
  /** As a table of verdicts names its rows. */
  readonly name: string;
  readonly shrinker: ShrinkerGeneration;
  readonly joinedScopes: boolean;
}

/** By the beginning of a variant's name. */
export const GENERATIONS = {
  "io-flag": { name: "io-flag", shrinker: ioFlag, joinedScopes: false },
  "io-flag-joined": { name: "io-flag + joined scopes", shrinker: ioFlag, joinedScopes: true },
  "fs-flag": { name: "fs-flag", shrinker: fsFlag, joinedScopes: false },
  "locks-always": {
    name: "fs-flag, lock-always mutant",
    shrinker: locksAlways,
    joinedScopes: false,
  },
  "trylock-always": { name: "trylock-always", shrinker: trylockAlways, joinedScopes: false },
  workqueue: { name: "workqueue", shrinker: workQueue, joinedScopes: false },
} as const satisfies Readonly<Record<string, Generation>>;
