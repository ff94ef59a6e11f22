/** Lots that fall the same way for the same seed and place. */
export class Lots {
  #state: number;

  constructor(seed: number, place: number) {
    this.#state = (Math.imul(seed, 0x9e37_79b1) ^ Math.imul(place + 1, 0x85eb_ca6b)) >>> 0;
  }

  /** From 0 up to, but not, 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b_79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** `wanted` different numbers below `count`, or all of them. */
  some(count: number, wanted: number): number[] {
    const drawn = new Set<number>();
    while (drawn.size < Math.min(count, wanted)) drawn.add(Math.floor(this.next() * count));
    return [...drawn];
  }
}
