import type { Actor } from "./actor.ts";
import type { Footprint } from "./footprint.ts";
import type { Strategy } from "./strategy.ts";

/**
 * One place where a schedule leaves the way that it would go by itself, which is that everybody
 * runs for as long as possible, and that every choice turns out well.
 */
export interface Override {
  /** `STEP ACTOR`: what was taken last; with `choice N` an answer during that step. */
  readonly place: string;
  /** The actor who runs then, or the outcome. */
  readonly chosen: string | number;
  /** The step of the recorded run, from 0, that the override brought about. */
  readonly index: number;
}

/** What tells a recorded run from the one that goes by itself. */
export function overridesOf(footprints: readonly Footprint[]): readonly Override[] {
  const overrides: Override[] = [];
  const steps = new StepCounter();
  for (const [index, { actor, insteadOf, outcomes }] of footprints.entries()) {
    if (insteadOf !== null) overrides.push({ place: steps.place, chosen: actor.name, index });
    steps.take(actor);
    for (const [choice, outcome] of outcomes.entries()) {
      if (outcome === 0) continue;
      overrides.push({ place: choicePlace(steps.place, choice), chosen: outcome, index });
    }
  }
  return overrides;
}

/** Goes by itself, except for the overrides; one that cannot be obeyed is passed over. */
export class Overridden implements Strategy {
  readonly name = "replay";
  readonly isExhaustive = false;
  readonly isRepeating = true;
  readonly #chosen: ReadonlyMap<string, string | number>;
  #steps = new StepCounter();
  #asked = 0;

  constructor(overrides: readonly Override[]) {
    this.#chosen = new Map(overrides.map(({ place, chosen }) => [place, chosen]));
  }

  beginRun(): boolean {
    this.#steps = new StepCounter();
    return true;
  }

  chooseActor(enabled: readonly Actor[]): number {
    const chosen = this.#chosen.get(this.#steps.place);
    if (chosen === undefined) return 0;
    return Math.max(
      0,
      enabled.findIndex(({ name }) => name === chosen),
    );
  }

  chooseOutcome(_what: string, count: number): number {
    const outcome = this.#chosen.get(choicePlace(this.#steps.place, this.#asked));
    this.#asked += 1;
    return typeof outcome === "number" ? Math.min(outcome, count - 1) : 0;
  }

  stepTaken(actor: Actor): void {
    this.#steps.take(actor);
    this.#asked = 0;
  }
}

/** Names places in a run by the steps of each actor, so that others may take more or fewer. */
class StepCounter {
  place = "";
  readonly #taken = new Map<string, number>();

  take({ name }: Actor): void {
    const taken = (this.#taken.get(name) ?? 0) + 1;
    this.#taken.set(name, taken);
    this.place = `${String(taken)} ${name}`;
  }
}

function choicePlace(place: string, choice: number): string {
  return `${place} choice ${String(choice)}`;
}
