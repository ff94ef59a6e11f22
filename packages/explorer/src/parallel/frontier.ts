import type { Actor } from "../actor.ts";
import { ChoicePath } from "../choice-path.ts";
import { Dpor } from "../dpor.ts";
import type { DporStep } from "../dpor-step.ts";
import { GIVE_UP, type Strategy } from "../strategy.ts";
import type { Job } from "./job.ts";

/** Runs the beginnings of all schedules, and hands out what follows. */
export interface Frontier extends Strategy {
  /** What was handed out: disjoint parts, which with the runs that went to their end are all. */
  readonly jobs: readonly Job[];
}

/** Hands out every sequence of so many choices. */
export class ExhaustiveFrontier implements Frontier {
  readonly name = "exhaustive";
  readonly isExhaustive = true;
  readonly jobs: Job[] = [];
  readonly #path = new ChoicePath();
  readonly #choices: number;

  constructor(choices: number) {
    this.#choices = choices;
  }

  get isRepeating(): boolean {
    return this.#path.isRepeating;
  }

  beginRun(): boolean {
    return this.#path.rewind();
  }

  chooseActor(enabled: readonly Actor[]): number {
    if (this.#path.depth < this.#choices) return this.#path.choose(enabled.length);
    this.jobs.push({ kind: "exhaustive", prefix: this.#path.prefix() });
    return GIVE_UP;
  }

  /** Belongs to the step that asks, and so to the beginning, even beyond the last choice of it. */
  chooseOutcome(_what: string, count: number): number {
    return this.#path.choose(count);
  }
}

/**
 * Hands out the schedules that begin with so many steps, up to the order of steps that do not touch
 * each other: sleep sets alone say what is left out, so that the parts need not tell each other
 * which orders they found worth trying here.
 */
export class DporFrontier extends Dpor implements Frontier {
  readonly jobs: Job[] = [];
  readonly #steps: number;

  constructor(steps: number) {
    super();
    this.#steps = steps;
  }

  protected override extend(enabled: readonly Actor[]): DporStep | null {
    const step = super.extend(enabled);
    if (step === null) return null;
    if (this.steps.length > this.#steps) {
      this.steps.pop();
      this.jobs.push({ kind: "dpor", prefix: this.save() });
      return null;
    }
    for (const key of step.enabled) if (!step.backtrack.includes(key)) step.backtrack.push(key);
    return step;
  }
}
