import type { BlockBuffer } from "./block-buffer.ts";

/** Buffers in the order of their last use. A buffer is on one list at most. */
export class BufferList {
  #newest: BlockBuffer | null = null;
  #oldest: BlockBuffer | null = null;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  get oldest(): BlockBuffer | null {
    return this.#oldest;
  }

  /** Puts a buffer that is on no list before all others. */
  add(buffer: BlockBuffer): void {
    const newest = this.#newest;
    buffer.list = this;
    buffer.newer = null;
    buffer.older = newest;
    if (newest === null) this.#oldest = buffer;
    else newest.newer = buffer;
    this.#newest = buffer;
    this.#count += 1;
  }

  remove(buffer: BlockBuffer): void {
    const { newer, older } = buffer;
    if (newer === null) this.#newest = older;
    else newer.older = older;
    if (older === null) this.#oldest = newer;
    else older.newer = newer;
    buffer.list = null;
    buffer.newer = null;
    buffer.older = null;
    this.#count -= 1;
  }

  /** Says that a buffer of this list was used. */
  touch(buffer: BlockBuffer): void {
    if (buffer === this.#newest) return;
    this.remove(buffer);
    this.add(buffer);
  }
}
