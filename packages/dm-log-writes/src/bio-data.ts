import type { Bio } from "@blkstack/bio";

/** Copies the data of a bio, whose iterator stays where it is. */
export function copyData(bio: Bio, into: Uint8Array): void {
  let to = 0;
  let done = bio.vecDoneBytes;
  for (let index = bio.vecIndex; to < bio.sizeBytes; index += 1, done = 0) {
    const vec = bio.vecs[index];
    if (vec === undefined) return;
    const length = Math.min(bio.sizeBytes - to, vec.length - done);
    const from = vec.offset + done;
    into.set(vec.page.bytes.subarray(from, from + length), to);
    to += length;
  }
}
