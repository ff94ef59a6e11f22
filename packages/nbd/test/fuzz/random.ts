/** Numbers that look random, the same for the same seed: the only source of what a session is. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
    // Neighbouring seeds begin alike otherwise.
    for (let count = 0; count < 4; count += 1) this.#next();
  }

  /** 0 or more, and below `end`. */
  below(end: number): number {
    return this.#next() % end;
  }

  /** Whether one of so many times is now. */
  isOneOf(times: number): boolean {
    return this.below(times) === 0;
  }

  pick<Value>(values: readonly Value[]): Value {
    const value = values[this.below(values.length)];
    if (value === undefined) throw new RangeError("nothing to pick from");
    return value;
  }

  many<Value>(count: number, make: () => Value): Value[] {
    return Array.from({ length: count }, make);
  }

  /** 32 bits. */
  #next(): number {
    this.#state = (this.#state + 0x6d2b_79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }
}
