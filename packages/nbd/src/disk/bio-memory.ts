import { type Bio, type Bytes, InvariantError } from "@blkstack/bio";

/** Copies `bytes` to where byte `at` of the data of a bio lies, and what follows. */
export function fillBio(bio: Bio, at: Bytes, bytes: Buffer): void {
  let skip = bio.vecDoneBytes + at;
  let done = 0;
  for (let index = bio.vecIndex; done < bytes.length; index += 1) {
    const vec = bio.vecs[index];
    if (vec === undefined) throw new InvariantError("a bio is longer than its vectors");
    if (skip >= vec.length) {
      skip -= vec.length;
      continue;
    }
    const count = Math.min(bytes.length - done, vec.length - skip);
    bytes.copy(vec.page.bytes, vec.offset + skip, done, done + count);
    done += count;
    skip = 0;
  }
}

/** The memory in which byte `at` of the data of a bio lies, and of what follows as much as lies with it. */
export function memoryAt(bio: Bio, at: Bytes, lengthBytes: Bytes): Uint8Array {
  let skip = bio.vecDoneBytes + at;
  for (let index = bio.vecIndex; ; index += 1) {
    const vec = bio.vecs[index];
    if (vec === undefined) throw new InvariantError("a bio is longer than its vectors");
    if (skip < vec.length) {
      const begin = vec.offset + skip;
      return vec.page.bytes.subarray(begin, begin + Math.min(lengthBytes, vec.length - skip));
    }
    skip -= vec.length;
  }
}

const ZEROES = Buffer.alloc(64 * 1024);

/** Makes a part of the data of a bio zeroes. */
export function zeroBio(bio: Bio, at: Bytes, lengthBytes: Bytes): void {
  for (let done = 0; done < lengthBytes; done += ZEROES.length) {
    fillBio(bio, at + done, ZEROES.subarray(0, lengthBytes - done));
  }
}
