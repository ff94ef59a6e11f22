import { type Bio, type Bytes, invariant } from "@blkstack/bio";

/** The most memory ranges that one system call takes (IOV_MAX). */
const MAX_VIEWS = 1024;

/** Puts views of the memory of `bio` into `views`, but for the first `doneBytes` of its data. */
export function collectViews(bio: Bio, doneBytes: Bytes, views: Uint8Array[]): void {
  views.length = 0;
  let left = bio.sizeBytes - doneBytes;
  let skip = bio.vecDoneBytes + doneBytes;
  for (let index = bio.vecIndex; left > 0 && views.length < MAX_VIEWS; index += 1) {
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
}
