import type { Awaitable, Gfp, Reserve, Task } from "@blkstack/task";

/** The memory behind a pool. A `Slab` of `@blkstack/memory` is one. */
export interface Allocator<T> {
  /** Takes an element if it is there for the asking, else answers null. Waits: never. */
  tryAlloc(gfp: Gfp): T | null;

  /**
   * Takes an element, doing for it whatever `gfp` allows; null when that did not help.
   *
   * Waits: if `gfp` allows, for memory to be reclaimed; not for elements to be given back.
   */
  alloc(gfp: Gfp, task: Task): Awaitable<T | null>;

  /** Waits: never. */
  free(element: T): void;

  /** Gives up what it keeps for reuse: the pool has ended. Waits: never. */
  letGoOfAll?(): void;

  /** Whether no attempt will succeed any more, however often it is made. Default: false. */
  readonly isExhausted?: boolean;

  /** Where the pools before this memory are listed from their making to their end. */
  readonly reserves?: Set<Reserve> | undefined;
}
