import { invariant } from "@blkstack/bio";
import type { Awaitable, Gfp, Task } from "@blkstack/task";
import type { Memory } from "./memory.ts";

/** How many free elements a slab keeps for reuse unless told. */
const KEEP_MAX = 256;

/**
 * Elements of one kind. Those given back are handed out again, so that a steady load makes no
 * garbage; they are not reset.
 */
export class Slab<T extends object> {
  readonly label: string;
  readonly #memory: Memory;
  readonly #make: () => T;
  readonly #keepMax: number;
  readonly #free: T[] = [];
  /** Only while exploring: whose loss or double return is looked for. */
  readonly #live: Set<T> | null;
  #liveCount = 0;

  /** `keepMax` bounds the free elements kept for reuse. */
  constructor(memory: Memory, label: string, make: () => T, keepMax: number = KEEP_MAX) {
    this.label = label;
    this.#memory = memory;
    this.#make = make;
    this.#keepMax = keepMax;
    this.#live = memory.scheduler.isExploring ? new Set() : null;
  }

  /** Elements handed out and not given back. */
  get liveCount(): number {
    return this.#liveCount;
  }

  /** Whether no attempt will succeed any more. */
  get isExhausted(): boolean {
    return this.#memory.faultPlan?.isForGood?.(this.label) === true;
  }

  /** Takes an element if memory is there for the asking. Waits: never. */
  tryAlloc(gfp: Gfp): T | null {
    if (this.#memory.mayFail && this.#memory.fails(this.label, gfp)) return null;
    const element = this.#free.pop() ?? this.#make();
    this.#liveCount += 1;
    if (this.#live !== null) this.#live.add(element);
    return element;
  }

  /**
   * Takes an element in the name of `task`. Null when there is no memory.
   *
   * Waits: never today; where `gfp` allows, this is the place that may reclaim memory.
   */
  alloc(gfp: Gfp, task: Task): Awaitable<T | null> {
    return this.tryAlloc(this.#memory.admit(gfp, task, this.label));
  }

  free(element: T): void {
    if (this.#liveCount === 0) invariant(false, `double free: ${this.label}`);
    if (this.#live !== null) this.#forget(element, this.#live);
    this.#liveCount -= 1;
    if (this.#free.length < this.#keepMax) this.#free.push(element);
  }

  #forget(element: T, live: Set<T>): void {
    invariant(live.delete(element), `double free: ${this.label}`);
  }
}
