import type { Bio, Page } from "@blkstack/bio";
import type { EndsBy, Waitable } from "@blkstack/task";

/** A page that stands in for one out of reach. */
export class BouncePage implements Page, Waitable {
  readonly label = "bounce page";
  /** The memory that it is; it goes back with the page. */
  readonly memory: Page;
  readonly bytes: Uint8Array;
  readonly frame: number;
  /** The stand-in that it is a part of; for the wait-for graph, which goes on from there. */
  holder: Bio | null = null;

  constructor(memory: Page) {
    this.memory = memory;
    this.bytes = memory.bytes;
    this.frame = memory.frame;
  }

  get endsBy(): EndsBy | undefined {
    return this.holder === null ? undefined : "any";
  }

  blockers(): readonly object[] {
    return this.holder === null ? [] : [this.holder];
  }
}
