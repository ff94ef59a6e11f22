import { type Gfp, GFP_NOIO, GFP_NOWAIT } from "@blkstack/task";

/** What a bounce may do to get what it needs. */
export interface Patience {
  /** For its first element, when it holds nothing yet. */
  readonly first: Gfp;
  /** For all others, which it asks for while it holds those it has. */
  readonly rest: Gfp;
}

/** Waits for all it needs, and so never fails. */
export const MUST_SUCCEED: Patience = { first: GFP_NOIO, rest: GFP_NOIO };

/** Takes what is there, or nothing. Also for callers that must not sleep. */
export const FAILABLE: Patience = { first: GFP_NOWAIT, rest: GFP_NOWAIT };

/** For the first bio of a batch: waits while it holds nothing, and for nothing more. */
export const FIRST_MAY_WAIT: Patience = { first: GFP_NOIO, rest: GFP_NOWAIT };
