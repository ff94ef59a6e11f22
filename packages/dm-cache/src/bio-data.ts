import type { BlockRange } from "./busy-blocks.ts";

/** What the target keeps with each bio: the blocks that it has claimed until it ends. */
export class BioData implements BlockRange {
  first = 0;
  end = 0;
  isExclusive = false;
  isClaimed = false;
}
