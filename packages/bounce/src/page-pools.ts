import { PAGE_BYTES, type Page } from "@blkstack/bio";
import type { Allocator } from "@blkstack/mempool";
import { GfpBit, type Scheduler } from "@blkstack/task";
import { BouncePages, ISA_BOUNCE_PAGES } from "./bounce-pages.ts";

/** From here on a limit is none: what lies above is reached by other means. */
const FRAMES_OF_4_GIB = 2 ** 32 / PAGE_BYTES;

export interface PagePoolsOptions {
  readonly scheduler: Scheduler;
  /** Pages at most at `ordinaryTopFrame`. */
  readonly ordinary: Allocator<Page>;
  readonly ordinaryTopFrame: number;
  /** Pages of the lowest memory. */
  readonly low: Allocator<Page>;
}

/** The bounce pages of a system: one pool for all devices with long arms, one for those with short. */
export class PagePools {
  readonly ordinary: BouncePages;
  readonly #options: PagePoolsOptions;
  #isa: BouncePages | null = null;

  constructor(options: PagePoolsOptions) {
    this.#options = options;
    const { scheduler, ordinary: source } = options;
    this.ordinary = new BouncePages({ scheduler, label: "bounce pages", source });
  }

  /** Made when a device first asks for it, for most systems have none that does. */
  get isa(): BouncePages {
    this.#isa ??= new BouncePages({
      scheduler: this.#options.scheduler,
      label: "ISA bounce pages",
      source: this.#options.low,
      reserve: ISA_BOUNCE_PAGES,
      gfp: GfpBit.Dma,
    });
    return this.#isa;
  }

  /** Where a device that reaches frames up to `bounceFrame` has its pages from; null: it needs none. */
  poolFor(bounceFrame: number): BouncePages | null {
    if (bounceFrame >= FRAMES_OF_4_GIB) return null;
    return bounceFrame >= this.#options.ordinaryTopFrame ? this.ordinary : this.isa;
  }
}
