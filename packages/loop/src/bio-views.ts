import { type Bio, type Bytes, invariant } from "@blkstack/bio";

/** Views of the memory of `bio`, but for the first `doneBytes` of its data. */
export function viewsOf(bio: Bio, doneBytes: Bytes): readonly Uint8Array[] {
  const views: Uint8Array[] = [];
  let left = bio.sizeBytes - doneBytes;
  let skip = bio.vecDoneBytes + doneBytes;
  for (let index = bio.vecIndex; left > 0; index += 1) {
    const vec = bio.vecs[index];
    invariant(vec !== undefined, "a bio is longer than its vectors");
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
  return views;
}
