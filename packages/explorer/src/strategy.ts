import type { Actor } from "./actor.ts";
import { ChoicePath, type ChoicePrefix } from "./choice-path.ts";
import { numberIn, pathState } from "./saved.ts";
import type { StepLog } from "./step-log.ts";

export { NondeterminismError } from "./choice-path.ts";

/** Gives the run up: what follows is known, or not wanted. */
export const GIVE_UP = -1;

/** A measure of how far a schedule is from the plain one, and how much of it. */
export interface Bound {
  readonly measure: "preemptions" | "delays";
  readonly count: number;
}

/** Decides, run after run, what a scheduler would leave to chance. */
export interface Strategy {
  readonly name: string;
  /** Whether the end of the runs means that every schedule was seen; asked again at the end. */
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
  /** Told of every step, also of those that nobody had to choose, just before it is taken. */
  stepTaken?(actor: Actor): void;
  /** Whether `chooseActor` is asked also where only one can go on. Default: false. */
  readonly decidesEveryStep?: boolean;
  /** Told what the steps of each run use and set off. */
  readonly log?: StepLog | undefined;
  /** What was run in full of schedules that were sorted by a measure; null: nothing yet. */
  readonly boundCompleted?: Bound | null;
  /** The bound of the present runs, where one comes after the other. */
  readonly boundRunning?: Bound | null;
  /** Asked between two runs: how much of the work is done, of 1, as far as can be told from the choices. */
  readonly share?: number | null;
  /**
   * Where it stands between two runs, as data that survives JSON: enough for `restore` of a fresh
   * strategy of the same kind to go on with the same runs.
   */
  save?(): unknown;
  /** Throws when the state is none of this kind. */
  restore?(state: unknown): void;
  /** The part of a strategy made of several that the present run belongs to. */
  readonly member?: Strategy;
}

/**
 * Every sequence of choices, depth first: runs again from the start with the last choice that has
 * an alternative left changed to it. Schedules with few preemptions come first.
 */
export function exhaustive(): Strategy {
  return new DepthFirst();
}

/** Every sequence of choices that begins with `prefix`. */
export class DepthFirst implements Strategy {
  readonly name = "exhaustive";
  readonly isExhaustive = true;
  readonly #path: ChoicePath;

  constructor(prefix?: ChoicePrefix) {
    this.#path = new ChoicePath(prefix);
  }

  get share(): number {
    return this.#path.share;
  }

  save(): unknown {
    return this.#path.save();
  }

  restore(state: unknown): void {
    this.#path.restore(pathState(state));
  }

  get isRepeating(): boolean {
    return this.#path.isRepeating;
  }

  beginRun(): boolean {
    return this.#path.rewind();
  }

  chooseActor(enabled: readonly Actor[]): number {
    return this.#path.choose(enabled.length);
  }

  chooseOutcome(_what: string, count: number): number {
    return this.#path.choose(count);
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

  save(): unknown {
    return { random: this.#random.state };
  }

  restore(state: unknown): void {
    this.#random.state = numberIn(state, "random");
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

  /** All that the next draws depend on. */
  get state(): number {
    return this.#state;
  }

  set state(state: number) {
    this.#state = state;
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
