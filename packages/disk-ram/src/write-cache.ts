import type { Bio } from "@blkstack/bio";
import type { SparseStore } from "./sparse-store.ts";

/**
 * Keeps account of what a power cut could take: the place for a crash model.
 *
 * The store of the disk always holds the newest data; whoever needs what was durable before reads
 * it from the store when a write is submitted.
 */
export interface WriteCache {
  /**
   * A bio other than a read is about to be served: the store still holds the older data. What
   * was acknowledged up to here is what a flush, or a preflush, makes durable.
   */
  submitted(bio: Bio, store: SparseStore): void;
  /** That bio was served and is about to end well. A flush has made durable what it had to. */
  acknowledged(bio: Bio): void;
}
