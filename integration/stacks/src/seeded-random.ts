/** Small numbers that are the same for the same seed, on every machine. */
export class SeededRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** A whole number from 0 up to, and without, `bound`. */
  below(bound: number): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) | 0;
    return Math.floor(((this.#state >>> 0) / 2 ** 32) * bound);
  }
}

/** Steps for a stack, the same for the same seed. */
export function codesFrom(seed: number, count: number): readonly number[] {
  const random = new SeededRandom(seed);
  return Array.from({ length: count }, () => random.below(2 ** 32));
}
