import { type Actor, ExploredTask } from "../actor.ts";
import { ChoicePath } from "../choice-path.ts";
import { booleanIn, fieldIn, numberIn, numberOrNullIn, pathState } from "../saved.ts";
import type { Bound, Strategy } from "../strategy.ts";

/**
 * Every schedule with at most `bound` switches away from a task that could have gone on, and no
 * other. Without a bound: with at most 0, then 1, and so on until there are no more. Throws a
 * `RangeError` for a bound that is no whole number from 0.
 */
export function preemptions(bound?: number): Strategy {
  return new Bounded(new Preemptions(), bound);
}

/**
 * Every schedule with at most `bound` delays: the plain schedule runs a task as long as it can go
 * on and then the one born next, in a circle; a delay passes over one whose turn it is. Without a
 * bound: with at most 0, then 1, and so on until there are no more. Throws a `RangeError` for a
 * bound that is no whole number from 0.
 */
export function delays(bound?: number): Strategy {
  return new Bounded(new Delays(), bound);
}

/** What a choice costs. */
interface Price {
  readonly measure: Bound["measure"];
  begin(): void;
  stepTaken(actor: Actor): void;
  /** Where in `enabled` the choices that cost no more than `budget` are, the cheapest first. */
  affordable(enabled: readonly Actor[], budget: number): readonly number[];
  /** Of the choice at this place among the affordable ones. */
  costOf(place: number): number;
}

class Bounded implements Strategy {
  readonly isRepeating = true;
  readonly #price: Price;
  readonly #last: number;
  readonly #path = new ChoicePath();
  #bound: number;
  #spent = 0;
  #isCut = false;
  #hasEnded = false;
  #completed: number | null = null;

  constructor(price: Price, bound: number | undefined) {
    if (bound !== undefined && (!Number.isInteger(bound) || bound < 0)) {
      throw new RangeError(`a bound of ${String(bound)}; it should be a whole number from 0`);
    }
    this.#price = price;
    this.#bound = bound ?? 0;
    this.#last = bound ?? Infinity;
  }

  get name(): string {
    const { measure } = this.#price;
    return this.#last === Infinity ? measure : `${measure}(${String(this.#last)})`;
  }

  /** Only when it turned out that no schedule goes beyond the bound. */
  get isExhaustive(): boolean {
    return this.#hasEnded && !this.#isCut;
  }

  get boundCompleted(): Bound | null {
    const count = this.#completed;
    return count === null ? null : { measure: this.#price.measure, count };
  }

  get boundRunning(): Bound {
    return { measure: this.#price.measure, count: this.#bound };
  }

  /** Of the present bound. */
  get share(): number {
    return this.#path.share;
  }

  save(): unknown {
    return {
      path: this.#path.save(),
      bound: this.#bound,
      isCut: this.#isCut,
      hasEnded: this.#hasEnded,
      completed: this.#completed,
    };
  }

  restore(state: unknown): void {
    this.#path.restore(pathState(fieldIn(state, "path")));
    this.#bound = numberIn(state, "bound");
    this.#isCut = booleanIn(state, "isCut");
    this.#hasEnded = booleanIn(state, "hasEnded");
    this.#completed = numberOrNullIn(state, "completed");
  }

  beginRun(): boolean {
    if (this.#hasEnded) return false;
    this.#spent = 0;
    this.#price.begin();
    if (this.#path.rewind()) return true;
    this.#completed = this.#bound;
    if (!this.#isCut || this.#bound >= this.#last) {
      this.#hasEnded = true;
      return false;
    }
    this.#bound += 1;
    this.#isCut = false;
    return this.#path.rewind();
  }

  chooseActor(enabled: readonly Actor[]): number {
    const affordable = this.#price.affordable(enabled, this.#bound - this.#spent);
    if (affordable.length < enabled.length) this.#isCut = true;
    const place = affordable.length === 1 ? 0 : this.#path.choose(affordable.length);
    this.#spent += this.#price.costOf(place);
    return affordable[place] ?? 0;
  }

  chooseOutcome(_what: string, count: number): number {
    return this.#path.choose(count);
  }

  stepTaken(actor: Actor): void {
    this.#price.stepTaken(actor);
  }
}

class Preemptions implements Price {
  readonly measure = "preemptions";
  #last: Actor | null = null;
  #isLastEnabled = false;

  begin(): void {
    this.#last = null;
  }

  stepTaken(actor: Actor): void {
    this.#last = actor;
  }

  affordable(enabled: readonly Actor[], budget: number): readonly number[] {
    this.#isLastEnabled = enabled[0] === this.#last;
    if (this.#isLastEnabled && budget < 1) return [0];
    return enabled.map((_actor, index) => index);
  }

  costOf(place: number): number {
    return this.#isLastEnabled && place > 0 ? 1 : 0;
  }
}

class Delays implements Price {
  readonly measure = "delays";
  #lastId = 0;

  begin(): void {
    this.#lastId = 0;
  }

  stepTaken(actor: Actor): void {
    // An interrupt does not take the turn away.
    if (actor instanceof ExploredTask) this.#lastId = actor.id;
  }

  affordable(enabled: readonly Actor[], budget: number): readonly number[] {
    const inTurn = enabled.map((_actor, index) => index);
    const turns = enabled.map((actor) => this.#turnOf(actor));
    inTurn.sort((a, b) => (turns[a] ?? 0) - (turns[b] ?? 0));
    return inTurn.slice(0, budget + 1);
  }

  costOf(place: number): number {
    return place;
  }

  /** Tasks from the one that ran last on, then those before it, then interrupts. */
  #turnOf(actor: Actor): number {
    if (!(actor instanceof ExploredTask)) return 2 * TURNS;
    return actor.id < this.#lastId ? actor.id + TURNS : actor.id;
  }
}

/** More than there are tasks. */
const TURNS = 2 ** 30;
