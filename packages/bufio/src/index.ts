export type { CachedBlock } from "./block-buffer.ts";
export { BufioCaches, type BufioCachesOptions } from "./bufio-caches.ts";
export { BufioClient, type BufioClientOptions } from "./bufio-client.ts";
export type { BufioCounters } from "./counters.ts";
export { fsFlag } from "./shrinkers/fs-flag.ts";
export type { ShrinkableCache, ShrinkerGeneration } from "./shrinkers/generation.ts";
export { ioFlag } from "./shrinkers/io-flag.ts";
export { trylockAlways } from "./shrinkers/trylock-always.ts";
export { workQueue } from "./shrinkers/work-queue.ts";
