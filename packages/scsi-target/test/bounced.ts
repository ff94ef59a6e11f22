import type { BioSet } from "@blkstack/bio-set";
import {
  alignedIn,
  Bounce,
  BouncePages,
  framesUpTo,
  PageArena,
  standInSet,
} from "@blkstack/bounce";
import { type Memory, PageAllocator } from "@blkstack/memory";
import type { Scheduler } from "@blkstack/task";

/** The last frame that the device of these tests reaches. */
export const TOP_FRAME = 999;

/** Stand-ins for memory that a device does not reach, or that lies anywhere. */
export class Bounced {
  readonly arena = new PageArena({ label: "aligned pages", limitPages: 16 });
  readonly pages: BouncePages;
  readonly bios: BioSet;
  readonly bounce: Bounce;

  constructor(scheduler: Scheduler, memory: Memory, kind: "frames" | "aligned", reserve: number) {
    const { arena } = this;
    const low = new PageAllocator({ memory, limitPages: 16, label: "low pages" });
    const source = kind === "frames" ? low : arena;
    this.pages = new BouncePages({ scheduler, label: "bounce pages", source, reserve });
    this.bios = standInSet({ name: "bounce", scheduler, memory });
    const reach = kind === "frames" ? framesUpTo(TOP_FRAME) : alignedIn(arena, 512);
    this.bounce = new Bounce({ reach, pages: this.pages, bios: this.bios });
  }

  /** Stand-ins and their pages that were not given back. */
  get liveCount(): number {
    return this.pages.pool.liveCount + this.bios.bioPool.liveCount;
  }
}
