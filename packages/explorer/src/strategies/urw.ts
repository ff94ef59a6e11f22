import type { Actor } from "../actor.ts";
import { fieldIn, numberIn } from "../saved.ts";
import { type Strategy, Xorshift } from "../strategy.ts";

/**
 * A walk that is close to uniform over schedules: who has more steps left is more likely to take
 * the next one. How many a task has is what it took at most in earlier runs, by its name.
 */
export function uniformWalk(seed = 1): Strategy {
  return new UniformWalk(seed);
}

class UniformWalk implements Strategy {
  readonly name = "urw";
  readonly isExhaustive = false;
  readonly isRepeating = false;
  readonly #random: Xorshift;
  /** By name: the steps of its longest run so far. */
  readonly #longest = new Map<string, number>();
  #takenNow = new Map<string, number>();

  constructor(seed: number) {
    this.#random = new Xorshift(seed);
  }

  beginRun(): boolean {
    this.#learn();
    return true;
  }

  save(): unknown {
    this.#learn();
    return { random: this.#random.state, longest: Object.fromEntries(this.#longest) };
  }

  restore(state: unknown): void {
    this.#random.state = numberIn(state, "random");
    const longest = fieldIn(state, "longest");
    for (const name of Object.keys(Object(longest) as object)) {
      this.#longest.set(name, numberIn(longest, name));
    }
  }

  #learn(): void {
    for (const [name, steps] of this.#takenNow) {
      if (steps > (this.#longest.get(name) ?? 0)) this.#longest.set(name, steps);
    }
    this.#takenNow = new Map();
  }

  stepTaken({ name }: Actor): void {
    this.#takenNow.set(name, (this.#takenNow.get(name) ?? 0) + 1);
  }

  chooseActor(enabled: readonly Actor[]): number {
    let sum = 0;
    for (const actor of enabled) sum += this.#stepsLeft(actor);
    let ticket = this.#random.below(sum);
    for (const [index, actor] of enabled.entries()) {
      ticket -= this.#stepsLeft(actor);
      if (ticket < 0) return index;
    }
    return 0;
  }

  chooseOutcome(_what: string, count: number): number {
    return this.#random.below(count);
  }

  /** At least the one that is announced. */
  #stepsLeft({ name }: Actor): number {
    return Math.max(1, (this.#longest.get(name) ?? 1) - (this.#takenNow.get(name) ?? 0));
  }
}
