import type { Bio } from "./bio.ts";
import { invariant } from "./invariant.ts";
import type { Bytes } from "./units.ts";

/**
 * Views of the memory of a bio, in the order of its data, but for the first `doneBytes` of it. The
 * bio's own iterator stays where it is. An `InvariantError` when the bio is longer than its vectors.
 */
export function bioViews(bio: Bio, doneBytes: Bytes = 0): Uint8Array[] {
  const views: Uint8Array[] = [];
  collectBioViews(bio, doneBytes, views, Infinity);
  return views;
}

/** Copies the data of a bio into `into`, which is as long, or longer; answers it. */
export function copyBioData(
  bio: Bio,
  into: Uint8Array = new Uint8Array(bio.sizeBytes),
): Uint8Array {
  let at = 0;
  for (const view of bioViews(bio)) {
    into.set(view, at);
    at += view.length;
  }
  return into;
}

/** As `bioViews`, into an array that is there already, and `viewsMax` of them at most. */
export function collectBioViews(
  bio: Bio,
  doneBytes: Bytes,
  views: Uint8Array[],
  viewsMax: number,
): void {
  views.length = 0;
  let left = bio.sizeBytes - doneBytes;
  let skip = bio.vecDoneBytes + doneBytes;
  for (let index = bio.vecIndex; left > 0 && views.length < viewsMax; index += 1) {
    const vec = bio.vecs[index];
    if (vec === undefined) invariant(false, "a bio is longer than its vectors");
    if (skip >= vec.length) {
      skip -= vec.length;
      continue;
    }
    const start = vec.offset + skip;
    const count = Math.min(left, vec.length - skip);
    views.push(vec.page.bytes.subarray(start, start + count));
    left -= count;
    skip = 0;
  }
}
