import { BioStatus, type Bytes } from "@blkstack/bio";

/** Small enough that scattered writes cost little memory, large enough that a big disk has few. */
const EXTENT_BYTES: Bytes = 64 * 1024;

/** How many extents one question looks at. */
const LOOKS_MAX = 128;

/** Bytes that are zero until written; only extents that were written take memory. */
export class SparseStore {
  readonly #extents = new Map<number, Uint8Array>();
  readonly #extentBytes: Bytes;
  readonly #maxExtents: number;

  /** `limitBytes` bounds the memory, in whole extents. */
  constructor(sizeBytes: Bytes, limitBytes: Bytes) {
    this.#extentBytes = Math.min(EXTENT_BYTES, sizeBytes);
    this.#maxExtents = Math.floor(limitBytes / this.#extentBytes);
  }

  /** The memory that is taken. */
  get allocatedBytes(): Bytes {
    return this.#extents.size * this.#extentBytes;
  }

  /** Whether there is memory for the byte at `offset`, which is zero otherwise. */
  isStored(offset: Bytes): boolean {
    return this.#extents.has(Math.floor(offset / this.#extentBytes));
  }

  /** Where what `isStored` says of `offset` may end, at `end` the latest: it looks only so far. */
  sameUntil(offset: Bytes, end: Bytes): Bytes {
    if (this.#extents.size === 0) return end;
    const first = Math.floor(offset / this.#extentBytes);
    const isStored = this.#extents.has(first);
    let index = first + 1;
    while (index < first + LOOKS_MAX && this.#extents.has(index) === isStored) index += 1;
    return Math.min(end, index * this.#extentBytes);
  }

  /** Copies `length` bytes from `offset` of the store to `into`, from its `intoOffset` on. */
  read(offset: Bytes, into: Uint8Array, intoOffset: Bytes, length: Bytes): void {
    let done = 0;
    while (done < length) {
      const index = Math.floor((offset + done) / this.#extentBytes);
      const start = offset + done - index * this.#extentBytes;
      const count = Math.min(length - done, this.#extentBytes - start);
      const extent = this.#extents.get(index);
      const at = intoOffset + done;
      if (extent === undefined) into.fill(0, at, at + count);
      else into.set(extent.subarray(start, start + count), at);
      done += count;
    }
  }

  /** Copies the other way. On anything but Ok the front of the range may have been written. */
  write(offset: Bytes, from: Uint8Array, fromOffset: Bytes, length: Bytes): BioStatus {
    let done = 0;
    while (done < length) {
      const index = Math.floor((offset + done) / this.#extentBytes);
      const start = offset + done - index * this.#extentBytes;
      const count = Math.min(length - done, this.#extentBytes - start);
      const extent = this.#extents.get(index) ?? this.#allocate(index);
      if (typeof extent === "number") return extent;
      const at = fromOffset + done;
      extent.set(from.subarray(at, at + count), start);
      done += count;
    }
    return BioStatus.Ok;
  }

  /** Makes a range read as zeroes; gives back extents that it covers, unless told to keep them. */
  zero(offset: Bytes, length: Bytes, keepExtents: boolean): void {
    const end = offset + length;
    const first = Math.floor(offset / this.#extentBytes);
    const last = Math.ceil(end / this.#extentBytes);
    // A range of a huge disk has more places for extents than there are extents.
    if (last - first > this.#extents.size) {
      for (const index of [...this.#extents.keys()]) {
        if (index >= first && index < last) this.#zeroExtent(index, offset, end, keepExtents);
      }
      return;
    }
    for (let index = first; index < last; index += 1) {
      this.#zeroExtent(index, offset, end, keepExtents);
    }
  }

  #zeroExtent(index: number, offset: Bytes, end: Bytes, keepExtents: boolean): void {
    const base = index * this.#extentBytes;
    const from = Math.max(0, offset - base);
    const to = Math.min(this.#extentBytes, end - base);
    const isWhole = from === 0 && to === this.#extentBytes;
    if (isWhole && !keepExtents) this.#extents.delete(index);
    else this.#extents.get(index)?.fill(0, from, to);
  }

  #allocate(index: number): Uint8Array | BioStatus {
    if (this.#extents.size >= this.#maxExtents) return BioStatus.NoSpace;
    try {
      const extent = new Uint8Array(this.#extentBytes);
      this.#extents.set(index, extent);
      return extent;
    } catch {
      // The process has no more memory; the disk must say so and live on.
      return BioStatus.Resource;
    }
  }
}
