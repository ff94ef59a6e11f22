/** Blocks of what a filesystem lies on: which are free. */
export class FreeBlocks {
  readonly #freed: number[] = [];
  readonly #total: number;
  #next = 0;

  constructor(total: number) {
    this.#total = total;
  }

  get count(): number {
    return this.#total - this.#next + this.#freed.length;
  }

  /** Undefined when the filesystem is full. */
  take(): number | undefined {
    const freed = this.#freed.pop();
    if (freed !== undefined || this.#next === this.#total) return freed;
    this.#next += 1;
    return this.#next - 1;
  }

  give(block: number): void {
    this.#freed.push(block);
  }
}
