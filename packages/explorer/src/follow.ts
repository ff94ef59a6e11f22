import type { Actor } from "./actor.ts";
import type { RecordedChoice } from "./recorder.ts";
import { NondeterminismError, type Strategy } from "./strategy.ts";

/** Thrown when a trace does not fit the scenario as it is now. */
export class DivergenceError extends Error {
  override readonly name = "DivergenceError";
}

/** Repeats recorded choices, by name; complains when that cannot be done. */
export class Follow implements Strategy {
  readonly name = "replay";
  readonly isExhaustive = false;
  readonly isRepeating = true;
  readonly #choices: readonly RecordedChoice[];
  #next = 0;

  constructor(choices: readonly RecordedChoice[]) {
    this.#choices = choices;
  }

  beginRun(): boolean {
    this.#next = 0;
    return true;
  }

  chooseActor(enabled: readonly Actor[]): number {
    const recorded = this.#take();
    const names = enabled.map(({ name }) => name);
    if (!("actor" in recorded)) {
      throw this.#diverged(`an answer to "${recorded.what}"`, `who runs of ${names.join(", ")}`);
    }
    const index = names.indexOf(recorded.actor);
    if (index < 0) throw this.#diverged(recorded.actor, names.join(", "));
    return index;
  }

  chooseOutcome(what: string, count: number): number {
    const recorded = this.#take();
    if ("actor" in recorded) throw this.#diverged(recorded.actor, `an answer to "${what}"`);
    if (recorded.what !== what || recorded.outcome >= count) {
      const answer = `outcome ${String(recorded.outcome)} of "${recorded.what}"`;
      throw this.#diverged(answer, `one of ${String(count)} outcomes of "${what}"`);
    }
    return recorded.outcome;
  }

  #take(): RecordedChoice {
    const recorded = this.#choices[this.#next];
    this.#next += 1;
    if (recorded !== undefined) return recorded;
    throw new DivergenceError(
      `the trace has ${String(this.#choices.length)} choices, but the run asks for one more`,
    );
  }

  #diverged(recorded: string, now: string): DivergenceError {
    const place = `choice ${String(this.#next)}`;
    return new DivergenceError(`at ${place} the trace has ${recorded}, but now there is ${now}`);
  }
}

/** Repeats choices by index, within one process and one version of the code. */
export class FollowIndices implements Strategy {
  readonly name = "replay";
  readonly isExhaustive = false;
  readonly isRepeating = true;
  readonly #indices: readonly number[];
  #next = 0;

  constructor(indices: readonly number[]) {
    this.#indices = indices;
  }

  beginRun(): boolean {
    this.#next = 0;
    return true;
  }

  chooseActor(enabled: readonly Actor[]): number {
    return this.#take(enabled.length);
  }

  chooseOutcome(_what: string, count: number): number {
    return this.#take(count);
  }

  #take(count: number): number {
    const index = this.#indices[this.#next];
    this.#next += 1;
    if (index !== undefined && index < count) return index;
    throw new NondeterminismError(`choice ${String(this.#next)} is not there any more`);
  }
}
