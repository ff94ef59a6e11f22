import { GROUP_CHUNKS, wordAt } from "./exception-bucket.ts";

/** Blocks in a page: pages never move, so growing copies nothing. */
const PAGE_BLOCKS = 512;

/** The largest new chunk that a block can hold: it keeps the number plus one, 0 saying "none". */
export const DENSE_LARGEST: number = 2 ** 32 - 2;

/**
 * New chunks of groups that are full of exceptions in no order, as random writes leave them: one
 * word for each of a group's eight chunks. Their slots would all want the same bucket.
 */
export class DenseGroups {
  readonly #pages: Uint32Array[] = [];
  #used = 0;
  /** The first block given back, plus one; each one's first word names the next. 0: none. */
  #free = 0;

  get memoryBytes(): number {
    return this.#pages.length * PAGE_BLOCKS * GROUP_CHUNKS * Uint32Array.BYTES_PER_ELEMENT;
  }

  /** The number of an empty block. */
  alloc(): number {
    if (this.#free > 0) {
      const block = this.#free - 1;
      const page = this.#pageOf(block);
      this.#free = wordAt(page, startOf(block));
      page[startOf(block)] = 0;
      return block;
    }
    const block = this.#used++;
    if (block % PAGE_BLOCKS === 0) this.#pages.push(new Uint32Array(PAGE_BLOCKS * GROUP_CHUNKS));
    return block;
  }

  /** Gives an empty block back. */
  free(block: number): void {
    this.#pageOf(block)[startOf(block)] = this.#free;
    this.#free = block + 1;
  }

  /** The new chunk of chunk `within` of the group, or -1. */
  at(block: number, within: number): number {
    return wordAt(this.#pageOf(block), startOf(block) + within) - 1;
  }

  set(block: number, within: number, newChunk: number): void {
    this.#pageOf(block)[startOf(block) + within] = newChunk + 1;
  }

  /** Forgets one chunk; whether the block is empty now. */
  unset(block: number, within: number): boolean {
    const page = this.#pageOf(block);
    const start = startOf(block);
    page[start + within] = 0;
    for (let index = start; index < start + GROUP_CHUNKS; index += 1)
      if (page[index] !== 0) return false;
    return true;
  }

  #pageOf(block: number): Uint32Array {
    return this.#pages[(block / PAGE_BLOCKS) | 0] ?? NO_PAGE;
  }
}

const NO_PAGE = new Uint32Array(0);

function startOf(block: number): number {
  return (block % PAGE_BLOCKS) * GROUP_CHUNKS;
}
