import { ObjectNumbers } from "../dependency.ts";
import type { Finding } from "../finding.ts";
import type { Outcome, Runner } from "../run.ts";
import { type Strategy, Xorshift } from "../strategy.ts";
import { difference, type Observed, observed } from "./compare.ts";
import { ObservedRun, type ObservedStep } from "./observed-run.ts";
import { Repeat } from "./repeat.ts";
import { swapDifference, swappable, swapped } from "./swaps.ts";

/** How much of a search is checked for being what it is taken for. Rates are parts of all runs. */
export interface AuditRates {
  /** Runs that are repeated, and must be the same. Default: 1 of 100, and the first. */
  readonly determinism?: number;
  /**
   * Runs in which two steps that have nothing in common change places, which must change nothing.
   * Default: 1 of 100 and the first few, where a proof leans on it; 0 where it does not.
   */
  readonly commutation?: number;
}

/** What the audits of a search came to. */
export interface AuditCount {
  /** Runs repeated to see whether they are the same again. */
  readonly determinism: number;
  /** Runs repeated with two steps in the other order. */
  readonly commutation: number;
}

const DEFAULT_RATE = 0.01;
/** Where reduction leaves few runs, each of them stands for many: they are looked at closely. */
const FIRST_SWAPS = 32;
const SWAPS_IN_ONE_RUN = 8;
const LOTS = 2 ** 20;

/** What is found of a run, with the choices that led to it. */
export interface Complaint {
  readonly finding: Finding;
  readonly taken: readonly number[];
  /** The run of the search, from 1. */
  readonly atRun: number;
}

/** Repeats some of the runs of a search, and complains when they are not what they should be. */
export class Auditor {
  complaint: Complaint | null = null;
  readonly #runner: Runner;
  readonly #rates: AuditRates;
  readonly #lots: Xorshift;
  readonly #objects = new ObjectNumbers();
  #determinism = 0;
  #commutation = 0;
  #runs = 0;

  constructor(runner: Runner, rates: AuditRates, seed: number) {
    this.#runner = runner;
    this.#rates = rates;
    this.#lots = new Xorshift(seed + 1);
  }

  get count(): AuditCount {
    return { determinism: this.#determinism, commutation: this.#commutation };
  }

  /** Draws what the next run is audited for; null: nothing. `isReduced`: it stands for others too. */
  draw(strategy: Strategy, isReduced: boolean): AuditedRun | null {
    this.#runs += 1;
    if (this.complaint !== null) return null;
    const { determinism = DEFAULT_RATE, commutation = isReduced ? DEFAULT_RATE : 0 } = this.#rates;
    const repeats = this.#isDrawn(determinism);
    const isDrawn = this.#isDrawn(commutation);
    const isEarly = commutation > 0 && this.#commutation < FIRST_SWAPS;
    const swaps = isEarly ? SWAPS_IN_ONE_RUN : Number(isDrawn);
    if (!repeats && swaps === 0) return null;
    return new AuditedRun(new ObservedRun(strategy, this.#objects), repeats, swaps);
  }

  /** Repeats a run that was drawn, once it is over. */
  async audit(run: AuditedRun, outcome: Outcome, stepsMax: number): Promise<void> {
    const { steps } = run.strategy;
    const first = observed(steps, outcome);
    // A run that ended in the midst of a step, or in a search for a stall, cannot be told apart.
    if (outcome.stop.why !== "quiet" && outcome.stop.why !== "given-up") return;
    if (outcome.world.scheduler.healedStalls > 0) return;
    if (run.repeats) await this.#repeat(first, stepsMax);
    if (run.swaps > 0) await this.#swap(first, run.swaps, stepsMax);
  }

  async #repeat(expected: Observed, stepsMax: number): Promise<void> {
    this.#determinism += 1;
    const seen = await this.#again(expected.steps, stepsMax);
    const text = difference(expected, ended(expected, seen));
    if (text !== null)
      this.#complain("NONDETERMINISM", `after the same choices, ${text}`, expected);
  }

  async #swap(expected: Observed, count: number, stepsMax: number): Promise<void> {
    const places = [...swappable(expected.steps)];
    for (let left = count; left > 0 && places.length > 0; left -= 1) {
      const [at = 0] = places.splice(this.#lots.below(places.length), 1);
      this.#commutation += 1;
      const seen = await this.#again(swapped(expected.steps, at), stepsMax);
      const text = swapDifference(expected, seen, at);
      if (text === null || this.complaint !== null) continue;
      const [first, second] = [tell(expected.steps[at]), tell(expected.steps[at + 1])];
      const message = `${first} and ${second} share something that they do not tell of: the other way round, ${text}`;
      this.#complain("HIDDEN_SHARING", message, expected);
    }
  }

  async #again(steps: readonly ObservedStep[], stepsMax: number): Promise<Observed> {
    const repeat = new Repeat(steps);
    const strategy = new ObservedRun(repeat, this.#objects);
    repeat.nameOf = (actor) => strategy.nameOf(actor);
    strategy.beginRun();
    const outcome = await this.#runner.once({ strategy, stepsMax });
    return observed(strategy.steps, outcome);
  }

  #complain(kind: Finding["kind"], message: string, { outcome }: Observed): void {
    const { taken } = outcome.world.scheduler;
    this.complaint ??= { finding: { kind, message }, taken, atRun: this.#runs };
  }

  #isDrawn(rate: number): boolean {
    return this.#runs === 1 ? rate > 0 : this.#lots.below(LOTS) < rate * LOTS;
  }
}

/** A run that is to be repeated, in what ways. */
export class AuditedRun {
  readonly strategy: ObservedRun;
  readonly repeats: boolean;
  /** How many pairs of steps change places, each by itself. */
  readonly swaps: number;

  constructor(strategy: ObservedRun, repeats: boolean, swaps: number) {
    this.strategy = strategy;
    this.repeats = repeats;
    this.swaps = swaps;
  }
}

/**
 * Where the first run was given up only what it got to can be compared: the second one goes on by
 * itself, to its end even, where nobody is left to choose.
 */
function ended(expected: Observed, seen: Observed): Observed {
  if (expected.outcome.stop.why !== "given-up") return seen;
  return { ...expected, steps: seen.steps.slice(0, expected.steps.length) };
}

function tell(step: ObservedStep | undefined): string {
  return step === undefined ? "nothing" : `"${step.who}: ${step.what}"`;
}
