import { type Actor, ExploredTask } from "../actor.ts";
import { conflict } from "../footprint.ts";
import { numberIn } from "../saved.ts";
import { type Strategy, Xorshift } from "../strategy.ts";

/**
 * Partial order sampling: every announced step has a random priority, the highest is taken, and
 * the steps whose order with it matters draw again. Steps that do not touch each other keep their
 * order then, which spreads the runs over what differs rather than over all interleavings.
 */
export function partialOrderSampling(seed = 1): Strategy {
  return new PartialOrderSampling(seed);
}

const PRIORITIES = 2 ** 32;

class PartialOrderSampling implements Strategy {
  readonly name = "pos";
  readonly isExhaustive = false;
  readonly isRepeating = false;
  readonly #random: Xorshift;
  readonly #priorities = new Map<Actor, number>();

  constructor(seed: number) {
    this.#random = new Xorshift(seed);
  }

  beginRun(): boolean {
    this.#priorities.clear();
    return true;
  }

  chooseActor(enabled: readonly Actor[]): number {
    let [best, highest] = [0, -1];
    for (const [index, actor] of enabled.entries()) {
      const priority = this.#priorityOf(actor);
      if (priority > highest) [best, highest] = [index, priority];
    }
    return best;
  }

  /** A step without a priority draws one when it is next asked for. */
  stepTaken(actor: Actor): void {
    this.#priorities.delete(actor);
    for (const other of this.#priorities.keys()) {
      if (isOrderSeen(actor, other)) this.#priorities.delete(other);
    }
  }

  chooseOutcome(_what: string, count: number): number {
    return this.#random.below(count);
  }

  save(): unknown {
    return { random: this.#random.state };
  }

  restore(state: unknown): void {
    this.#random.state = numberIn(state, "random");
  }

  #priorityOf(actor: Actor): number {
    let priority = this.#priorities.get(actor);
    if (priority === undefined) {
      priority = this.#random.below(PRIORITIES);
      this.#priorities.set(actor, priority);
    }
    return priority;
  }
}

/** Whether the order of two announced steps may matter; nobody knows what an interrupt touches. */
function isOrderSeen(one: Actor, other: Actor): boolean {
  if (!(one instanceof ExploredTask) || !(other instanceof ExploredTask)) return true;
  return conflict(one.access, other.access);
}
