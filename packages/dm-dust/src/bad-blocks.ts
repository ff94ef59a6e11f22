/** As many as there can be: a list of them takes some 50 MB. */
const BAD_BLOCKS_MAX = 2 ** 20;

/** The numbers of blocks that are bad, and how many writes to each still fail. */
export class BadBlocks {
  /** Blocks from this one on are not of the device. */
  readonly limit: number;
  readonly #failuresLeft = new Map<number, number>();

  constructor(limit: number) {
    this.limit = limit;
  }

  get count(): number {
    return this.#failuresLeft.size;
  }

  get isFull(): boolean {
    return this.count >= BAD_BLOCKS_MAX;
  }

  has(block: number): boolean {
    return this.#failuresLeft.has(block);
  }

  /** `failingWrites`: so many writes fail before one makes the block good. */
  add(block: number, failingWrites: number): void {
    this.#failuresLeft.set(block, failingWrites);
  }

  /** Answers whether it was there. */
  delete(block: number): boolean {
    return this.#failuresLeft.delete(block);
  }

  clear(): void {
    this.#failuresLeft.clear();
  }

  /** Counts a write to a bad block; answers whether it is one of those that fail. */
  failsWrite(block: number): boolean {
    const left = this.#failuresLeft.get(block) ?? 0;
    if (left > 0) this.#failuresLeft.set(block, left - 1);
    return left > 0;
  }

  /** In ascending order. */
  numbers(): number[] {
    return [...this.#failuresLeft.keys()].sort((one, other) => one - other);
  }
}
