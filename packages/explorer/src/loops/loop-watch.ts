import { type Access, AccessMode, type Waitable } from "@blkstack/task";
import { type Actor, ExploredTask } from "../actor.ts";
import { Cell } from "../cell.ts";
import type { Recorder } from "../recorder.ts";
import type { RunWatcher } from "../run-watcher.ts";
import { fairLasso, type Lasso, type LoopStep } from "./lasso.ts";
import { type Standing, StateKey } from "./state-key.ts";

/** A run of so many steps is looked at, whether or not anybody takes the same step twice. */
export const LOOKS_FROM = 200;
/** So often somebody takes the same step again, in a row, before the run is looked at earlier. */
export const REPEATS = 3;
/** For how many new states the run is looked at after somebody did take the same step twice. */
const PATIENCE = 16;
/** How often a task comes back to where everything was as it is, before it lets others go first. */
export const ROUNDS = 8;
/** How long a loop must then go on, so that no counter of a task's own is about to end it. */
const CONFIRMING_STEPS = 512;

/** So many states are kept in mind. */
const STATES_MAX = 4096;

/** A loop that is followed to see whether it ends. */
interface Candidate {
  readonly lasso: Lasso;
  readonly key: string;
  /** Steps followed so far. */
  taken: number;
}

/** What a look has come to. */
interface LookedAt {
  readonly candidate: Candidate | null;
  /** The steps that go on for ever. */
  readonly lasso: Lasso | null;
}

/** When a look is taken. */
interface LoopTime {
  readonly steps: number;
  /** Whether time may change something. */
  readonly isTimerArmed: boolean;
  readonly recorder: Recorder | null;
}

/** What there is to know of shared things. */
export interface Known {
  /** What is known of the shared things. */
  readonly stateText: () => string;
  /** Whether the scenario has said what there is to know of this. */
  readonly isSummarised: (object: object) => boolean;
}

/**
 * Keeps a run from going round in circles. A task that has come back to the same state eight times
 * waits until there is a new one, as if it had asked whether anything has changed; when all wait so,
 * and none was neglected on the way, they would go on for ever: a livelock.
 *
 * A state leaves out the variables of a task's own, so a loop that counts looks like one that does
 * not end. Hence it is gone on with for some hundred steps more before it is called one.
 */
export class LoopWatch implements RunWatcher {
  /** The step from which on `look` is to be called. */
  looksFrom: number;
  /** Whether somebody was made to wait. */
  hasCut = false;
  readonly #run: Standing & Known;
  readonly #key = new StateKey();
  #steps: LoopStep[] = [];
  #visits = new Map<string, Map<Actor | null, number>>();
  readonly #waiting = new Set<Actor>();
  /** The steps that go on for ever. */
  #lasso: Lasso | null = null;
  /** Something happened that a key does not show. */
  #isBlind = false;
  #newStates = 0;
  /** What the step that is going on began with. */
  #pending: Omit<LoopStep, "actor"> | null = null;
  #candidate: Candidate | null = null;

  constructor(run: Standing & Known, looksFrom: number) {
    this.#run = run;
    this.looksFrom = looksFrom;
  }

  /** Whether a loop is being followed to see whether it ends: nobody chooses. */
  get isConfirming(): boolean {
    return this.#candidate !== null;
  }

  /** Somebody takes the same step again and again. */
  looksAgain(steps: number): void {
    if (this.looksFrom > steps) this.looksFrom = steps;
  }

  used(_actor: Actor, { object, mode }: Access): void {
    if (mode === AccessMode.Read || object instanceof Cell || object instanceof ExploredTask)
      return;
    if (this.#run.isSummarised(object)) return;
    if (isHeld(object)) this.#key.watch(object);
    else this.forget();
  }

  timerFired(): void {
    this.forget();
  }

  /** What follows depends on what no key shows. */
  forget(): void {
    this.#isBlind = true;
  }

  /**
   * Called between two steps: takes out of `enabled` who is to wait. When that is everybody, nobody
   * gets on, and time must move. `last` is who took the step before. Answers the steps that go on
   * for ever, once that is known.
   */
  look(last: Actor | null, enabled: Actor[], at: LoopTime): Lasso | null {
    const before = this.#candidate;
    const { candidate, lasso } = this.#look(last, enabled, at);
    // The rounds that only show that the loop goes on are no part of the story.
    if (lasso !== null) at.recorder?.forgetAfterMark();
    else if (before === null && candidate !== null) at.recorder?.mark();
    else if (before !== null && candidate === null) at.recorder?.keepAfterMark();
    return lasso;
  }

  #look(last: Actor | null, enabled: Actor[], at: LoopTime): LookedAt {
    this.#lookOnce(last, enabled, at);
    return { candidate: this.#candidate, lasso: this.#lasso };
  }

  #lookOnce(last: Actor | null, enabled: Actor[], at: LoopTime): void {
    if (this.#isBlind) this.#clear();
    const key = this.#key.of(this.#run, this.#run.stateText());
    const candidate = this.#candidate;
    if (candidate !== null) {
      if (this.#isFollowed(candidate, key, enabled)) return;
      this.#clear();
    }
    this.#visit(key, last, at.steps);
    if (!this.#isLooking(at.steps)) return;
    const all = [...enabled];
    keepOnly(enabled, (actor) => !this.#waiting.has(actor));
    if (enabled.length < all.length) this.hasCut = true;
    if (enabled.length === 0 && !at.isTimerArmed) {
      const lasso = fairLasso(this.#steps, key, at.steps);
      // Nobody is to wait when there is nobody to wait for.
      for (const actor of all) enabled.push(actor);
      if (lasso === null) this.#clear();
      else this.#isFollowed((this.#candidate = { lasso, key, taken: 0 }), key, enabled);
    }
    this.#pending = { key, enabled: all };
  }

  #isLooking(steps: number): boolean {
    return steps >= this.looksFrom;
  }

  /** Counts a state, and who has come to it. */
  #visit(key: string, last: Actor | null, steps: number): void {
    if (last !== null && this.#pending !== null) {
      this.#steps.push({ ...this.#pending, actor: last });
    }
    this.#pending = null;
    const visits = this.#visits.get(key);
    if (visits === undefined) {
      this.#visits.set(key, new Map());
      this.#waiting.clear();
      this.#newStates += 1;
      if (this.#newStates > PATIENCE && steps < LOOKS_FROM) {
        this.#clear();
        this.looksFrom = LOOKS_FROM;
      } else if (this.#newStates > STATES_MAX) this.#clear();
      return;
    }
    if (last === null) return;
    const rounds = (visits.get(last) ?? 0) + 1;
    visits.set(last, rounds);
    if (rounds >= ROUNDS) this.#waiting.add(last);
    this.#newStates = 0;
  }

  /** Leads the run along a loop; false: it has come to something else. */
  #isFollowed(candidate: Candidate, key: string, enabled: Actor[]): boolean {
    const { lasso, taken } = candidate;
    const place = taken % lasso.actors.length;
    const next = lasso.actors[place];
    if (next === undefined || !enabled.includes(next)) return false;
    if (place === 0 && key !== candidate.key) return false;
    if (place === 0 && taken >= CONFIRMING_STEPS) this.#lasso = lasso;
    candidate.taken += 1;
    keepOnly(enabled, (actor) => actor === next);
    return true;
  }

  #clear(): void {
    this.#isBlind = false;
    this.#candidate = null;
    this.#pending = null;
    this.#steps = [];
    this.#visits = new Map();
    this.#waiting.clear();
    this.#newStates = 0;
  }
}

function keepOnly(actors: Actor[], isKept: (actor: Actor) => boolean): void {
  let count = 0;
  for (const actor of actors) if (isKept(actor)) actors[count++] = actor;
  actors.length = count;
}

/** Whether it is known who has it. */
function isHeld(thing: object): thing is Waitable {
  return (thing as Partial<Waitable>).endsBy !== undefined;
}
