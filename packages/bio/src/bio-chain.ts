import { type Bio, BioState } from "./bio.ts";
import { invariant } from "./invariant.ts";
import { BioStatus } from "./status.ts";

// A constant of this module is one of the machine code; what is imported is looked up each time.
const CHAIN = BioState.Chain;

/** Marks a chained child. Never called: `bioEndio` knows it and goes on with the parent. */
function chainEnd(): void {
  invariant(false, "the end of a chained bio is bioEndio's business");
}

/** Makes `parent` end only after `child` has; `child` gives its error to `parent` and is put. */
export function chainBio(child: Bio, parent: Bio): void {
  invariant(
    child.endIo === null && child.private === null,
    "a chained bio has an endIo of its own",
  );
  // An ended parent counts from 0: one child too few, and it would end before its last one.
  invariant(
    (parent.state & BioState.Chain) !== 0 || parent.remaining === 1,
    "chained to a bio that has ended and was not reset",
  );
  child.private = parent;
  child.parent = parent;
  child.endIo = chainEnd;
  parent.state |= BioState.Chain;
  parent.remaining += 1;
}

/** Whether `bio` was chained to a parent and tells its end to nobody else. */
export function isChained(bio: Bio): boolean {
  return bio.endIo === chainEnd;
}

/**
 * Ends `bio`, with `bio.status` as it stands. In a loop over its parents, for a chain may be long.
 *
 * Waits: never. The caller must not touch the bio afterwards.
 */
export function bioEndio(bio: Bio): void {
  let ending = bio;
  for (;;) {
    if ((ending.state & CHAIN) !== 0 && !isLastOfChain(ending)) return;
    const { endIo } = ending;
    if (endIo !== chainEnd) {
      endIo?.(ending);
      return;
    }
    ending = endChild(ending);
  }
}

/** Gives the error of a chained child to its parent, which is answered, and puts the child. */
function endChild(child: Bio): Bio {
  const parent = child.private as Bio;
  // The first error wins; later successes, and later errors, leave it alone.
  if (child.status !== BioStatus.Ok && parent.status === BioStatus.Ok) {
    parent.status = child.status;
  }
  child.put();
  return parent;
}

/** Takes the end of one more part of a bio for known; answers whether it was the last. */
function isLastOfChain(bio: Bio): boolean {
  invariant(bio.remaining > 0, "a bio ended more often than it was chained");
  bio.remaining -= 1;
  if (bio.remaining > 0) return false;
  bio.state &= ~CHAIN;
  return true;
}

/** Ends `bio` with an error. */
export function bioError(bio: Bio, status: BioStatus): void {
  bio.status = status;
  bioEndio(bio);
}
