import type { EndsBy } from "@blkstack/task";
import type { ExploringScheduler } from "./exploring-scheduler.ts";

/** Where a thing is, in words, and who would have to move for it to move. */
export interface Whereabouts {
  readonly text: string;
  /** Empty when nobody can. */
  readonly next: readonly object[];
  /** How many of them; not set where others, unknown, could move it too. */
  readonly endsBy?: EndsBy | undefined;
  /** It will move by itself: it is in flight. */
  readonly isMoving: boolean;
  /** It will be submitted only when the driver call that `next` is in returns. */
  readonly waitsForReturn?: boolean;
}

/**
 * What a report knows of things that are no `Waitable`: how they are called and where they are.
 * The explorer itself knows tasks and what they wait for; everything else is told to it.
 */
export interface Vocabulary {
  /** A short name; null when this is not of this vocabulary. */
  name(thing: object): string | null;
  /** Null when this is not of this vocabulary, or when it is nowhere to be found. */
  whereabouts(thing: object, run: RunView): Whereabouts | null;
  /** What whoever waits for this pool wants of it: `a bio of bio_set "md0" (reserve 1, 0 left)`. */
  wanted?(pool: object): string | null;
  /** What lies where, as text that is equal when nothing moved. */
  fingerprint(run: RunView): string;
  /**
   * Looks around between two steps of a recorded run, to be able to say since when; answers the
   * names of what has moved.
   */
  lookAround?(run: RunView, steps: number): readonly string[];
  /** The step since which the thing is where it is; undefined when unknown. */
  sinceStep?(thing: object): number | undefined;
}

/** What checks and vocabularies may look at. */
export interface RunView {
  readonly scheduler: ExploringScheduler;
  /** Things that the scenario named, in which other things lie. */
  readonly places: readonly Place[];
}

/** A list that tasks do not own: a rescuer's, a worker's. */
export interface Place {
  readonly label: string;
  readonly things: Iterable<object>;
  /** Who takes things out; empty when nobody can. */
  readonly servedBy: () => readonly object[];
}
