export { BioSet, type BioSetCounters, type BioSetOptions } from "./bio-set.ts";
export type { BvecPool } from "./bvec-pool.ts";
export { HeapBios } from "./heap-bios.ts";
export type { PooledBio, VecTable } from "./pooled-bio.ts";
export {
  rescueBoth,
  rescueCurrent,
  rescueNone,
  type RescuePolicy,
  takeOwn,
} from "./rescue-policy.ts";
export type { Rescuer } from "./rescuer.ts";
