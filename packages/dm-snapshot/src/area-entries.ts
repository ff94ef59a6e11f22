import { ENTRY_BYTES } from "./cow-layout.ts";

const WORD_VALUES = 2 ** 32;

/** One chunk of entries in memory, as it lies on the disk. */
export class AreaEntries {
  readonly bytes: Uint8Array;
  /** How many entries fit. */
  readonly length: number;
  readonly #view: DataView;

  constructor(chunkBytes: number) {
    this.bytes = new Uint8Array(chunkBytes);
    this.length = chunkBytes / ENTRY_BYTES;
    this.#view = new DataView(this.bytes.buffer);
  }

  /** Exact below 2^53; larger ones, which no device has, at least stay larger than any device. */
  oldChunk(index: number): number {
    return this.#number(index * ENTRY_BYTES);
  }

  /** 0: there is no entry here, and the list ends. */
  newChunk(index: number): number {
    return this.#number(index * ENTRY_BYTES + 8);
  }

  set(index: number, oldChunk: number, newChunk: number): void {
    this.#setNumber(index * ENTRY_BYTES, oldChunk);
    this.#setNumber(index * ENTRY_BYTES + 8, newChunk);
  }

  /** How many entries there are before the first that is none. */
  count(): number {
    let index = 0;
    while (index < this.length && this.newChunk(index) !== 0) index += 1;
    return index;
  }

  /** Takes the entries from `start` to `end` out, and answers their bytes. */
  take(start: number, end: number): Uint8Array {
    const bytes = this.bytes.slice(start * ENTRY_BYTES, end * ENTRY_BYTES);
    this.bytes.fill(0, start * ENTRY_BYTES, end * ENTRY_BYTES);
    return bytes;
  }

  /** Undoes `take`. */
  putBack(start: number, bytes: Uint8Array): void {
    this.bytes.set(bytes, start * ENTRY_BYTES);
  }

  clear(): void {
    this.bytes.fill(0);
  }

  /** Clears the entries from `start` on; whether there was anything. */
  clearFrom(start: number): boolean {
    const rest = this.bytes.subarray(start * ENTRY_BYTES);
    if (rest.every((byte) => byte === 0)) return false;
    rest.fill(0);
    return true;
  }

  #number(at: number): number {
    return this.#view.getUint32(at, true) + WORD_VALUES * this.#view.getUint32(at + 4, true);
  }

  #setNumber(at: number, value: number): void {
    this.#view.setUint32(at, value % WORD_VALUES, true);
    this.#view.setUint32(at + 4, Math.floor(value / WORD_VALUES), true);
  }
}
