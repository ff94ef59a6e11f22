import { BioList } from "@blkstack/bio";
import { deviceOf, type RequestQueue } from "@blkstack/block";
import type { BioLists } from "@blkstack/task";

/** Decides which of the parked bios is started next, after a driver call. */
export interface SubmitOrder {
  readonly name: string;
  /**
   * Called after a driver call for a bio of `queue`: `lists.current` has what the driver submitted,
   * `lists.older` what was parked before. Leaves all of it in `current`, the next one first.
   *
   * Must neither wait nor end a bio.
   */
  arrange(lists: BioLists, queue: RequestQueue): void;
}

// Filled and emptied within one `arrange`, which nothing interrupts.
const lower = new BioList();
const same = new BioList();

/**
 * What a driver submitted to other devices first, then what it sent back to its own queue, then all
 * older bios.
 *
 * So everything that comes of a piece is started before the next piece of the same bio is looked
 * at, as if the stack were walked by recursion, and a later piece may wait for an earlier one. That
 * holds for drivers that submit at most one bio downward per call and send the rest to themselves.
 *
 * Linux 4.11 brought it (79bd99596b73), against deadlocks between the pieces of one bio.
 */
export const lowerFirst: SubmitOrder = {
  name: "lowerFirst",
  arrange(lists, queue) {
    const { current } = lists;
    // One bio, or none, needs no sorting; nearly every driver call ends here.
    if (current.head !== current.tail) sortLowerFirst(current, queue);
    current.mergeInit(lists.older);
  },
};

function sortLowerFirst(current: BioList, queue: RequestQueue): void {
  for (let bio = current.pop(); bio !== null; bio = current.pop()) {
    (deviceOf(bio).queue === queue ? same : lower).add(bio);
  }
  current.mergeInit(lower);
  current.mergeInit(same);
}

/**
 * First come, first served, over all levels of the stack; so before 2017.
 *
 * A bio may be stuck behind one that waits for it: only to study how that ends.
 */
export const fifo: SubmitOrder = {
  name: "fifo",
  arrange({ current, older }) {
    if (older.isEmpty) return;
    older.mergeInit(current);
    current.mergeInit(older);
  },
};
