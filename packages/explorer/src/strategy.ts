import type { Actor } from "./actor.ts";

/** Gives the run up: what follows is known, or not wanted. */
export const GIVE_UP = -1;

/** Decides, run after run, what a scheduler would leave to chance. */
export interface Strategy {
  readonly name: string;
  /** Whether the end of the runs means that every schedule was seen. */
  readonly isExhaustive: boolean;
  /** Whether the run is still repeating choices of the one before. */
  readonly isRepeating: boolean;
  /** Prepares the next run; false when there is none. */
  beginRun(): boolean;
  /**
   * Who takes the next step: an index into `enabled`, which has two or more, the one that ran
   * last in front if it can go on. `GIVE_UP` ends the run.
   */
  chooseActor(enabled: readonly Actor[]): number;
  /** Which outcome of `count`, two or more; 0 is the good one. */
  chooseOutcome(what: string, count: number): number;
  /** Told of every step, also of those that nobody had to choose. */
  stepTaken?(actor: Actor): void;
}

/** Thrown when a scenario does not do the same when given the same choices. */
export class NondeterminismError extends Error {
  override readonly name = "NondeterminismError";
}

/**
 * Every sequence of choices, depth first: runs again from the start with the last choice that has
 * an alternative left changed to it. Schedules with few preemptions come first.
 */
export function exhaustive(): Strategy {
  return new DepthFirst();
}

class DepthFirst implements Strategy {
  readonly name = "exhaustive";
  readonly isExhaustive = true;
  readonly #taken: number[] = [];
  readonly #counts: number[] = [];
  #depth = -1;

  get isRepeating(): boolean {
    return this.#depth < this.#taken.length;
  }

  beginRun(): boolean {
    const isFirst = this.#depth < 0;
    this.#depth = 0;
    if (isFirst) return true;
    for (let last = this.#taken.length - 1; last >= 0; last -= 1) {
      const next = (this.#taken[last] ?? 0) + 1;
      if (next < (this.#counts[last] ?? 0)) {
        this.#taken[last] = next;
        return true;
      }
      this.#taken.pop();
      this.#counts.pop();
    }
    return false;
  }

  chooseActor(enabled: readonly Actor[]): number {
    return this.#choose(enabled.length);
  }

  chooseOutcome(_what: string, count: number): number {
    return this.#choose(count);
  }

  #choose(count: number): number {
    const depth = this.#depth;
    this.#depth += 1;
    const taken = this.#taken[depth];
    if (taken === undefined) {
      this.#taken.push(0);
      this.#counts.push(count);
      return 0;
    }
    if (this.#counts[depth] !== count) {
      throw new NondeterminismError(
        `choice ${String(depth + 1)} had ${String(this.#counts[depth])} alternatives and, ` +
          `after the same choices, now has ${String(count)}`,
      );
    }
    return taken;
  }
}

/** A random walk: each choice uniformly, from a seed, without end and without memory. */
export function random(seed = 1): Strategy {
  return new RandomWalk(seed);
}

class RandomWalk implements Strategy {
  readonly name = "random";
  readonly isExhaustive = false;
  readonly isRepeating = false;
  readonly #random: Xorshift;

  constructor(seed: number) {
    this.#random = new Xorshift(seed);
  }

  beginRun(): boolean {
    return true;
  }

  chooseActor(enabled: readonly Actor[]): number {
    return this.#random.below(enabled.length);
  }

  chooseOutcome(_what: string, count: number): number {
    return this.#random.below(count);
  }
}

/** Marsaglia's generator of 32 bits: small, fast, and the same everywhere. */
export class Xorshift {
  #state: number;

  constructor(seed: number) {
    // Neighbouring seeds must not begin alike, and 0 would stay 0.
    this.#state = Math.imul(seed | 0, 0x9e3779b1) ^ 0x85ebca6b || 1;
    for (let round = 0; round < 4; round += 1) this.below(2);
  }

  /** An integer in `[0, bound)`. */
  below(bound: number): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return Math.floor(((x >>> 0) / 0x1_0000_0000) * bound);
  }
}
