import { type Bio, type BioVec, type Bytes, invariant, type Page, PAGE_BYTES } from "@blkstack/bio";

/** A place in the data of a bio that moves on while the bio does not. */
export class Cursor {
  readonly #vecs: readonly BioVec[];
  #index: number;
  #doneBytes: Bytes;
  leftBytes: Bytes;

  constructor(bio: Bio) {
    this.#vecs = bio.vecs;
    this.#index = bio.vecIndex;
    this.#doneBytes = bio.vecDoneBytes;
    this.leftBytes = bio.sizeBytes;
  }

  get page(): Page {
    return this.#vec.page;
  }

  get offset(): Bytes {
    return this.#vec.offset + this.#doneBytes;
  }

  /** Bytes up to the end of the vector. */
  get vecBytes(): Bytes {
    return Math.min(this.leftBytes, this.#vec.length - this.#doneBytes);
  }

  /** Bytes up to the end of the vector, or of its frame. */
  get pieceBytes(): Bytes {
    return Math.min(this.vecBytes, PAGE_BYTES - (this.offset % PAGE_BYTES));
  }

  advance(bytes: Bytes): void {
    this.leftBytes -= bytes;
    for (let left = bytes; left > 0;) {
      const vec = this.#vec;
      const taken = Math.min(left, vec.length - this.#doneBytes);
      left -= taken;
      this.#doneBytes += taken;
      if (this.#doneBytes === vec.length) {
        this.#index += 1;
        this.#doneBytes = 0;
      }
    }
  }

  /** Copies the next `bytes.length` bytes out, and goes behind them. */
  copyTo(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const part = this.#part(bytes.length - at);
      bytes.set(part, at);
      at += part.length;
      this.advance(part.length);
    }
  }

  /** Overwrites the next `bytes.length` bytes, and goes behind them. */
  copyFrom(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const part = this.#part(bytes.length - at);
      part.set(bytes.subarray(at, at + part.length));
      at += part.length;
      this.advance(part.length);
    }
  }

  #part(maxBytes: Bytes): Uint8Array {
    const { offset } = this;
    return this.page.bytes.subarray(offset, offset + Math.min(this.vecBytes, maxBytes));
  }

  get #vec(): BioVec {
    const vec = this.#vecs[this.#index];
    invariant(vec !== undefined, "a bio is longer than its vectors");
    return vec;
  }
}
