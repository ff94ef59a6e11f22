import type { Actor } from "../actor.ts";
import { numberIn } from "../saved.ts";
import { type Strategy, Xorshift } from "../strategy.ts";

export interface PctOptions {
  /** Default 1. */
  readonly seed?: number;
  /** How many orders of two steps must come together for the failure; 1 or more. Default 3. */
  readonly depth?: number;
  /** Choices of the longest run, if known. Default: of those seen so far. */
  readonly choicesMax?: number;
}

/**
 * Probabilistic concurrency testing: random priorities, the highest runs, and at `depth` - 1
 * random choices the one about to run falls below all others. One run of `n` tasks and `k` choices
 * meets a failure of that depth with a probability of at least 1 / (n k^(depth - 1)), however
 * rare it is. Throws a `RangeError` for a depth below 1.
 */
export function pct(options: PctOptions = {}): Strategy {
  return new Pct(options);
}

const RANKS = 2 ** 32;
/** Whoever spins that long with the others able to run is waiting for one of them. */
const PATIENCE = 1_000;

class Pct implements Strategy {
  readonly name: string;
  readonly isExhaustive = false;
  readonly isRepeating = false;
  readonly #depth: number;
  readonly #random: Xorshift;
  #choicesMax: number;
  #choices = 0;
  /** For each choice that is a change point, the priority that it leaves. */
  #changes = new Map<number, number>();
  readonly #priorities = new Map<Actor, number>();
  #spinning: Actor | undefined;
  #spinningSince = 0;
  #lowest = 0;

  constructor({ seed = 1, depth = 3, choicesMax = 0 }: PctOptions) {
    if (!Number.isInteger(depth) || depth < 1) {
      throw new RangeError(`a depth of ${String(depth)}; it should be a whole number from 1`);
    }
    this.name = `pct(${String(depth)})`;
    this.#depth = depth;
    this.#choicesMax = choicesMax;
    this.#random = new Xorshift(seed);
  }

  beginRun(): boolean {
    this.#choicesMax = Math.max(this.#choicesMax, this.#choices, this.#depth - 1);
    this.#choices = 0;
    this.#lowest = 0;
    this.#spinning = undefined;
    this.#priorities.clear();
    this.#changes = new Map();
    // In the order of drawing, not of the run: which change falls deepest is part of the chance.
    for (let change = 1; change < this.#depth;) {
      const at = 1 + this.#random.below(this.#choicesMax);
      if (this.#changes.has(at)) continue;
      this.#changes.set(at, this.#depth - change);
      change += 1;
    }
    return true;
  }

  chooseActor(enabled: readonly Actor[]): number {
    this.#choices += 1;
    const index = this.#highest(enabled);
    const chosen = enabled[index];
    if (chosen === undefined) return index;
    const left = this.#changes.get(this.#choices) ?? this.#leftBySpinner(chosen);
    if (left === undefined) return index;
    this.#priorities.set(chosen, left);
    return this.#highest(enabled);
  }

  chooseOutcome(_what: string, count: number): number {
    return this.#random.below(count);
  }

  save(): unknown {
    return { random: this.#random.state, choicesMax: Math.max(this.#choicesMax, this.#choices) };
  }

  restore(state: unknown): void {
    this.#random.state = numberIn(state, "random");
    this.#choicesMax = numberIn(state, "choicesMax");
  }

  #highest(enabled: readonly Actor[]): number {
    let [best, highest] = [0, -Infinity];
    for (const [index, actor] of enabled.entries()) {
      const priority = this.#priorityOf(actor);
      if (priority > highest) [best, highest] = [index, priority];
    }
    return best;
  }

  /** Above all that a change point leaves, and in a random place among the others. */
  #priorityOf(actor: Actor): number {
    let priority = this.#priorities.get(actor);
    if (priority === undefined) {
      priority = this.#depth + this.#random.below(RANKS);
      this.#priorities.set(actor, priority);
    }
    return priority;
  }

  #leftBySpinner(chosen: Actor): number | undefined {
    if (chosen !== this.#spinning) {
      this.#spinning = chosen;
      this.#spinningSince = this.#choices;
    }
    if (this.#choices - this.#spinningSince < PATIENCE) return undefined;
    this.#lowest -= 1;
    return this.#lowest;
  }
}
