import type { Awaitable } from "./awaitable.ts";
import type { Task } from "./task.ts";

/** What a pool tells of itself to whoever wants to know how it fares. A `Mempool` is one. */
export interface Reserve {
  /** What people call it: `bios of md0`. */
  readonly label: string;
  /** How many elements the reserve is to have. */
  readonly minNr: number;
  /** How many elements the reserve has. */
  readonly currNr: number;
  /** The fewest that it ever had. */
  readonly lowestNr: number;
  /** Elements that were taken from it because there was no memory. */
  readonly fromReserve: number;
  /** Allocations that had to wait, for memory or for an element to be given back. */
  readonly waits: number;
  /**
   * Changes how many elements it is to have; absent: it has what it was made with.
   *
   * **Waits:** for memory, when it grows.
   */
  resize?(minNr: number, task: Task): Awaitable<void>;
}
