import type { Memory, Shrinker } from "@blkstack/memory";
import { type Gfp, GfpBit, GFP_NOWAIT } from "@blkstack/task";

/** Pages that can be had for the asking, by whoever may enter `needs`. */
export class CleanCache implements Shrinker {
  readonly label: string;
  readonly #memory: Memory;
  readonly #needs: Gfp;
  #pages: number;

  constructor(label: string, memory: Memory, pages: number, needs: Gfp = 0) {
    this.label = label;
    this.#memory = memory;
    this.#pages = pages;
    this.#needs = needs;
    fill(memory, pages, label);
    memory.shrinkers.register(this);
  }

  get pages(): number {
    return this.#pages;
  }

  count(gfp: Gfp): number {
    return (gfp & this.#needs) === this.#needs ? this.#pages : 0;
  }

  scan(amount: number): number {
    this.#pages -= amount;
    this.#memory.givePages(amount);
    return amount;
  }
}

export const NEEDS_FS: Gfp = GfpBit.Fs;

/** Takes pages that there surely are. */
export function fill(memory: Memory, pages: number, label: string): void {
  if (!memory.tryTakePages(pages, GFP_NOWAIT, label)) throw new Error(`no pages for ${label}`);
}
