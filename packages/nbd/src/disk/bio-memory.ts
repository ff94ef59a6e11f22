import { type Bio, type Bytes, InvariantError } from "@blkstack/bio";

/** Copies `lengthBytes` of `from`, from `fromAt` on, to where byte `at` of the data of a bio lies. */
export function fillBio(
  bio: Bio,
  at: Bytes,
  from: Buffer,
  fromAt: Bytes,
  lengthBytes: Bytes,
): void {
  let skip = bio.vecDoneBytes + at;
  let left = lengthBytes;
  for (let index = bio.vecIndex; left > 0; index += 1) {
    const vec = bio.vecs[index];
    if (vec === undefined) throw new InvariantError("a bio is longer than its vectors");
    if (skip >= vec.length) {
      skip -= vec.length;
      continue;
    }
    const count = Math.min(left, vec.length - skip);
    const begin = fromAt + lengthBytes - left;
    from.copy(vec.page.bytes, vec.offset + skip, begin, begin + count);
    left -= count;
    skip = 0;
  }
}

const ZEROES = Buffer.alloc(64 * 1024);

/** Makes a part of the data of a bio zeroes. */
export function zeroBio(bio: Bio, at: Bytes, lengthBytes: Bytes): void {
  for (let done = 0; done < lengthBytes; done += ZEROES.length) {
    fillBio(bio, at + done, ZEROES, 0, Math.min(ZEROES.length, lengthBytes - done));
  }
}
