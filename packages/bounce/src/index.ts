export { Bounce, type BounceOptions, standInSet } from "./bounce.ts";
export { BounceInTurn } from "./bounce-in-turn.ts";
export type { BouncePage } from "./bounce-page.ts";
export {
  BOUNCE_PAGES,
  BouncePages,
  type BouncePagesOptions,
  ISA_BOUNCE_PAGES,
} from "./bounce-pages.ts";
export { PageArena, type PageArenaOptions } from "./page-arena.ts";
export { PagePools, type PagePoolsOptions } from "./page-pools.ts";
export { FAILABLE, FIRST_MAY_WAIT, MUST_SUCCEED, type Patience } from "./patience.ts";
export { assertPoolSize, type PoolLoad, poolSizeFor } from "./pool-size.ts";
export { alignedIn, framesUpTo, type PlacedMemory, type Reach } from "./reach.ts";
