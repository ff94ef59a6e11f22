/** How many of those who are in the way must move on before a wait is over. */
export type EndsBy = "any" | "all";

/**
 * Something that a task can wait for, and a node of the wait-for graph.
 *
 * Whoever makes a task wait says who could end the wait, so that a deadlock can be told as a story.
 */
export interface Waitable {
  /** What people call it: `mutex "s.lock"`, `bio_set "md0-split"`. */
  readonly label: string;
  /**
   * Who could end a wait for this: the owner of a lock, the holders of a pool's elements, the
   * worker of a work item. One of them moving on is enough. Tasks, other waitables, bios; empty
   * when nobody can. Asked only when a report is drawn.
   */
  blockers(): readonly object[];
  /**
   * Set where `blockers` leaves nobody out: then a wait is hopeless as soon as none of them (or one
   * of all that it takes) can move, whoever else still runs. Not set: others might end it too.
   */
  readonly endsBy?: EndsBy | undefined;
}
