import type { Actor } from "../actor.ts";
import { fieldIn, listIn, numberIn, stringIn } from "../saved.ts";
import type { StepLog } from "../step-log.ts";
import { type Bound, exhaustive, random, type Strategy } from "../strategy.ts";
import { delays } from "./bounded.ts";
import { pct } from "./pct.ts";
import { partialOrderSampling } from "./pos.ts";
import { uniformWalk } from "./urw.ts";

/** A strategy of a portfolio, and its part of the work. */
export interface Share {
  readonly strategy: Strategy;
  /** Steps that it may take, in proportion to the other shares. */
  readonly weight: number;
}

export interface PortfolioOptions {
  /** Of the strategies that draw lots. Default 1. */
  readonly seed?: number;
  /** What tries to run everything, together on half of the steps. Default: `exhaustive()`. */
  readonly proof?: readonly Strategy[];
  /** What looks for a failure, on the other half. Default: random, URW, PCT, POS and delays. */
  readonly search?: readonly Share[];
}

/**
 * Several strategies side by side, a run at a time, so that each takes its share of the steps. Over
 * when a part that can prove has nothing left to run; a part that merely ends leaves its share to
 * the others. Throws a `RangeError` when it would have no part.
 */
export function portfolio(options: PortfolioOptions = {}): Strategy {
  const { seed = 1, proof = [exhaustive()], search = defaultSearch(seed) } = options;
  if (proof.length + search.length === 0) throw new RangeError("a portfolio of no strategies");
  const weights = search.reduce((sum, { weight }) => sum + weight, 0);
  const weight = Math.max(1, weights) / proof.length;
  return new Portfolio([...proof.map((strategy) => ({ strategy, weight })), ...search]);
}

/** None of these is best everywhere: what one never finds, another finds in ten runs. */
function defaultSearch(seed: number): readonly Share[] {
  return [
    { strategy: random(seed), weight: 25 },
    { strategy: uniformWalk(seed + 1), weight: 25 },
    { strategy: pct({ seed: seed + 2, depth: 2 }), weight: 7 },
    { strategy: pct({ seed: seed + 3, depth: 3 }), weight: 7 },
    { strategy: pct({ seed: seed + 4, depth: 5 }), weight: 6 },
    { strategy: partialOrderSampling(seed + 5), weight: 15 },
    { strategy: delays(), weight: 15 },
  ];
}

/** A part, and how much of its share it has used up. */
interface Part extends Share {
  /** Its place among all that there were at first. */
  readonly place: number;
  used: number;
}

class Portfolio implements Strategy {
  readonly name = "portfolio";
  #parts: Part[];
  #running: Part;
  #bound: Bound | null = null;

  constructor(shares: readonly Share[]) {
    this.#parts = shares.map((share, place) => ({ ...share, place, used: 0 }));
    this.#running = this.#leastUsed();
  }

  get member(): Strategy {
    return this.#running.strategy;
  }

  get isExhaustive(): boolean {
    return this.#running.strategy.isExhaustive;
  }

  get isRepeating(): boolean {
    return this.#running.strategy.isRepeating;
  }

  get decidesEveryStep(): boolean {
    return this.#running.strategy.decidesEveryStep ?? false;
  }

  get log(): StepLog | undefined {
    return this.#running.strategy.log;
  }

  get boundCompleted(): Bound | null {
    for (const { strategy } of this.#parts) this.#remember(strategy);
    return this.#bound;
  }

  beginRun(): boolean {
    this.#running = this.#leastUsed();
    while (!this.#running.strategy.beginRun()) {
      const { strategy } = this.#running;
      this.#remember(strategy);
      if (strategy.isExhaustive || this.#parts.length === 1) return false;
      this.#parts = this.#parts.filter((part) => part !== this.#running);
      this.#running = this.#leastUsed();
    }
    this.#running.used += 1 / this.#running.weight;
    return true;
  }

  chooseActor(enabled: readonly Actor[]): number {
    return this.#running.strategy.chooseActor(enabled);
  }

  chooseOutcome(what: string, count: number): number {
    return this.#running.strategy.chooseOutcome(what, count);
  }

  stepTaken(actor: Actor): void {
    this.#running.used += 1 / this.#running.weight;
    this.#running.strategy.stepTaken?.(actor);
  }

  save(): unknown {
    const parts = this.#parts.map(({ strategy, place, used }) => {
      if (strategy.save === undefined) throw new Error(`${strategy.name} cannot be saved`);
      return { place, used, state: strategy.save() };
    });
    return { parts, running: this.#running.place, bound: this.boundCompleted };
  }

  restore(state: unknown): void {
    const saved = new Map(listIn(state, "parts").map((each) => [numberIn(each, "place"), each]));
    this.#parts = this.#parts.filter(({ place }) => saved.has(place));
    for (const part of this.#parts) {
      const mine = saved.get(part.place);
      part.used = numberIn(mine, "used");
      part.strategy.restore?.(fieldIn(mine, "state"));
    }
    const running = numberIn(state, "running");
    this.#running = this.#parts.find(({ place }) => place === running) ?? this.#leastUsed();
    const bound = fieldIn(state, "bound");
    if (bound !== null) {
      const measure = stringIn(bound, "measure") as Bound["measure"];
      this.#bound = { measure, count: numberIn(bound, "count") };
    }
  }

  #leastUsed(): Part {
    return this.#parts.reduce((best, part) => (part.used < best.used ? part : best));
  }

  #remember({ boundCompleted = null }: Strategy): void {
    if (boundCompleted !== null) this.#bound = boundCompleted;
  }
}
