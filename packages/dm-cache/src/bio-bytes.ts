import type { Bio, Bytes } from "@blkstack/bio";

/** Goes through the memory of a bio from its beginning, and leaves the bio's own place alone. */
export class BioBytes {
  #bio: Bio | null = null;
  #vecIndex = 0;
  #vecDoneBytes: Bytes = 0;

  begin(bio: Bio): void {
    this.#bio = bio;
    this.#vecIndex = bio.vecIndex;
    this.#vecDoneBytes = bio.vecDoneBytes;
  }

  /** Copies `[start, end)` of a block to the next bytes of the bio. */
  fill(block: Uint8Array, start: Bytes, end: Bytes): void {
    for (let at = start; at < end;) {
      const vec = this.#bio?.vecs[this.#vecIndex];
      if (vec === undefined) return;
      const count = Math.min(end - at, vec.length - this.#vecDoneBytes);
      // A view is made only for a part: most often a block is wanted whole.
      const part = count === block.length ? block : block.subarray(at, at + count);
      vec.page.bytes.set(part, vec.offset + this.#vecDoneBytes);
      this.#go(count, vec.length);
      at += count;
    }
  }

  /** Copies the next bytes of the bio to `[start, end)` of a block. */
  take(block: Uint8Array, start: Bytes, end: Bytes): void {
    for (let at = start; at < end;) {
      const vec = this.#bio?.vecs[this.#vecIndex];
      if (vec === undefined) return;
      const count = Math.min(end - at, vec.length - this.#vecDoneBytes);
      const { bytes } = vec.page;
      const from = vec.offset + this.#vecDoneBytes;
      block.set(count === bytes.length ? bytes : bytes.subarray(from, from + count), at);
      this.#go(count, vec.length);
      at += count;
    }
  }

  /** Passes over the next bytes of the bio. */
  skip(bytes: Bytes): void {
    for (let left = bytes; left > 0;) {
      const vec = this.#bio?.vecs[this.#vecIndex];
      if (vec === undefined) return;
      const count = Math.min(left, vec.length - this.#vecDoneBytes);
      this.#go(count, vec.length);
      left -= count;
    }
  }

  #go(bytes: Bytes, length: Bytes): void {
    this.#vecDoneBytes += bytes;
    if (this.#vecDoneBytes < length) return;
    this.#vecIndex += 1;
    this.#vecDoneBytes = 0;
  }
}
