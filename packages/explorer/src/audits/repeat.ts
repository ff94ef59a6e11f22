import type { Actor } from "../actor.ts";
import { GIVE_UP, type Strategy } from "../strategy.ts";
import type { ObservedStep } from "./observed-run.ts";

/** Takes the steps of a list again, by name, with the same answers; gives up where it cannot. */
export class Repeat implements Strategy {
  readonly name = "repeat";
  readonly isExhaustive = false;
  readonly isRepeating = true;
  readonly decidesEveryStep = true;
  /** Tells the name of an actor in the run at hand. */
  nameOf: (actor: Actor) => string = ({ name }) => name;
  readonly #steps: readonly ObservedStep[];
  #taken = 0;
  #asked = 0;

  constructor(steps: readonly ObservedStep[]) {
    this.#steps = steps;
  }

  beginRun(): boolean {
    return true;
  }

  chooseActor(enabled: readonly Actor[]): number {
    const who = this.#steps[this.#taken]?.who;
    const index = enabled.findIndex((actor) => this.nameOf(actor) === who);
    return index < 0 ? GIVE_UP : index;
  }

  chooseOutcome(_what: string, count: number): number {
    const taken = this.#steps[this.#taken - 1]?.outcomes[this.#asked]?.taken ?? 0;
    this.#asked += 1;
    return Math.min(taken, count - 1);
  }

  stepTaken(): void {
    this.#taken += 1;
    this.#asked = 0;
  }
}
