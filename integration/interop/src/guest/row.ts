import type { Place } from "./place.ts";

/** One thing that a kernel does with this server. */
export interface Row {
  readonly id: string;
  readonly says: string;
  /** Answers in a few words what was seen; throws when it is not as it should be. */
  readonly check: (place: Place) => Promise<string>;
}
