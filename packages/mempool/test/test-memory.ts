import { type Awaitable, type Gfp, mayWait, type Reserve, type Task } from "@blkstack/task";
import type { Allocator } from "../src/allocator.ts";

export interface Element {
  readonly n: number;
}

/** Memory that a test can take away, and that writes down what it was asked with. */
export class TestMemory implements Allocator<Element> {
  readonly masks: Gfp[] = [];
  readonly reserves: Set<Reserve> = new Set<Reserve>();
  frees = 0;
  isEmpty = false;
  /** Only who may wait gets memory, and has to wait for it. */
  needsWait = false;
  /** Only who may wait gets memory, but need not. */
  isOnlyForPatient = false;
  isExhausted = false;
  /** Elements left before memory is empty. */
  left = Infinity;
  #made = 0;

  tryAlloc(gfp: Gfp): Element | null {
    this.masks.push(gfp);
    if (this.isEmpty || this.left === 0) return null;
    if ((this.needsWait || this.isOnlyForPatient) && !mayWait(gfp)) return null;
    this.left -= 1;
    this.#made += 1;
    return { n: this.#made };
  }

  alloc(gfp: Gfp, task: Task): Awaitable<Element | null> {
    return this.needsWait ? this.#reclaim(gfp, task) : this.tryAlloc(gfp);
  }

  free(): void {
    this.frees += 1;
  }

  async #reclaim(gfp: Gfp, task: Task): Promise<Element | null> {
    await task.scheduler.sleep(task, { label: "reclaim", blockers: () => [] }, 1);
    return this.tryAlloc(gfp);
  }
}
