import type { Actor } from "./actor.ts";
import type { Stretch } from "./replay-line.ts";
import { wordOf } from "./word-of.ts";
import type { Strategy } from "./strategy.ts";

/**
 * Follows a schedule by the names of the actors and their own steps, as far as it can be followed:
 * what it does not mention runs when nothing else can, without being preempted. So it still fits a
 * scenario in which something unrelated has changed.
 */
export class SoftFollow implements Strategy {
  readonly name = "replay";
  readonly isExhaustive = false;
  readonly isRepeating = true;
  /** Each with the step of the actor that ends it, counted from the beginning of the run. */
  readonly #goals: readonly { readonly actor: string; readonly untilStep: number }[];
  readonly #answers = new Map<string, readonly number[]>();
  readonly #taken = new Map<string, number>();
  #answersNow: readonly number[] = [];
  #asked = 0;

  constructor(stretches: readonly Stretch[]) {
    const ends = new Map<string, number>();
    this.#goals = stretches.map(({ actor, steps, answers }) => {
      const untilStep = (ends.get(actor) ?? 0) + steps;
      ends.set(actor, untilStep);
      if (answers.length > 0) this.#answers.set(`${actor} ${String(untilStep)}`, answers);
      return { actor, untilStep };
    });
  }

  beginRun(): boolean {
    this.#taken.clear();
    this.#answersNow = [];
    return true;
  }

  chooseActor(enabled: readonly Actor[]): number {
    const words = enabled.map(wordOf);
    for (const { actor, untilStep } of this.#goals) {
      if ((this.#taken.get(actor) ?? 0) >= untilStep) continue;
      const index = words.indexOf(actor);
      if (index >= 0) return index;
    }
    // Who ran last, if it can go on, and else the eldest.
    return 0;
  }

  chooseOutcome(_what: string, count: number): number {
    const answer = this.#answersNow[this.#asked] ?? 0;
    this.#asked += 1;
    return Math.min(answer, count - 1);
  }

  stepTaken(actor: Actor): void {
    const word = wordOf(actor);
    const taken = (this.#taken.get(word) ?? 0) + 1;
    this.#taken.set(word, taken);
    this.#answersNow = this.#answers.get(`${word} ${String(taken)}`) ?? [];
    this.#asked = 0;
  }
}
