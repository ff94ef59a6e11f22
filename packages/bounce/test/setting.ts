import { Bio, type BioOp, type Bytes, createVecs, PAGE_BYTES, type Page } from "@blkstack/bio";
import type { BioSet } from "@blkstack/bio-set";
import { allFail, Memory, PageAllocator } from "@blkstack/memory";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { Bounce, type BounceOptions, BouncePages, framesUpTo, standInSet } from "../src/index.ts";

/** The last frame that the device of these tests reaches. */
export const TOP_FRAME = 999;

export interface SettingOptions extends Partial<Pick<BounceOptions, "reach" | "cut">> {
  readonly reserve?: number;
  readonly standIns?: number;
}

/** A device's bounce, over memory that can be taken away. */
export class Setting {
  readonly scheduler = new VirtualScheduler();
  readonly memory: Memory = new Memory({ scheduler: this.scheduler });
  readonly source: PageAllocator;
  readonly pages: BouncePages;
  readonly bios: BioSet;
  readonly bounce: Bounce;

  constructor({ reserve = 64, standIns = 2, reach, cut }: SettingOptions = {}) {
    const { scheduler, memory } = this;
    this.source = new PageAllocator({ memory, limitPages: 900, label: "low pages" });
    this.pages = new BouncePages({
      scheduler,
      label: "bounce pages",
      source: this.source,
      reserve,
    });
    this.bios = standInSet({ name: "bounce", scheduler, memory, poolSize: standIns });
    const common = { reach: reach ?? framesUpTo(TOP_FRAME), pages: this.pages, bios: this.bios };
    this.bounce = new Bounce(cut === undefined ? common : { ...common, cut });
  }

  /** From here on there are only the reserves. */
  exhaustMemory(): void {
    this.memory.faultPlan = allFail;
  }

  /** What is not as it was: nothing, when all was given back. */
  get missing(): { pages: number; bios: number } {
    const { pool } = this.pages;
    return {
      pages: pool.liveCount + (pool.minNr - pool.currNr),
      bios: this.bios.bioPool.liveCount + (this.bios.bioPool.minNr - this.bios.bioPool.currNr),
    };
  }
}

/** A page whose bytes all are `fill`. */
export function page(frame: number, fill = 0): Page {
  return { bytes: new Uint8Array(PAGE_BYTES).fill(fill), frame };
}

/** A page that the device does not reach. */
export function highPage(fill = 0): Page {
  return page(TOP_FRAME + 1, fill);
}

export type Stretch = readonly [page: Page, length?: Bytes, offset?: Bytes];

/** A bio over these stretches of memory, which writes down how it ended. */
export function bioOver(op: BioOp, ...stretches: readonly Stretch[]): Bio & { ends: number[] } {
  const bio = Object.assign(new Bio(), { ends: [] as number[] });
  bio.op = op;
  bio.sector = 40;
  bio.vecs = createVecs(stretches.length);
  bio.vecMax = stretches.length;
  for (const [each, length = PAGE_BYTES, offset = 0] of stretches)
    bio.addPage(each, length, offset);
  bio.endIo = ({ status }) => {
    bio.ends.push(status);
  };
  return bio;
}

/** Overwrites all that a bio points at, as a device does that reads. */
export function deviceReads(bio: Bio, fill: number): void {
  for (const {
    page: { bytes },
    offset,
    length,
  } of bio.vecs.slice(0, bio.vecCount)) {
    bytes.fill(fill, offset, offset + length);
  }
}
