import type { Actor } from "../actor.ts";
import { exhaustive, random, type Bound, type Strategy } from "../strategy.ts";
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
  /** What tries to run everything, on half of the steps. Default: `exhaustive()`. */
  readonly proof?: Strategy;
  /** What looks for a failure, on the other half. Default: random, URW, PCT, POS and delays. */
  readonly search?: readonly Share[];
}

/**
 * Several strategies side by side, each taking its share of the steps in turns. Over when a part
 * that can prove has nothing left to run; a part that merely ends leaves its share to the others.
 */
export function portfolio(options: PortfolioOptions = {}): Strategy {
  const { seed = 1, proof = exhaustive(), search = defaultSearch(seed) } = options;
  const weights = search.reduce((sum, { weight }) => sum + weight, 0);
  return new Portfolio([{ strategy: proof, weight: Math.max(1, weights) }, ...search]);
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
  used: number;
}

/** Runs that a part makes before it is the next one's turn: its caches stay warm. */
const SLICE_RUNS = 16;

class Portfolio implements Strategy {
  readonly name = "portfolio";
  #parts: Part[];
  #running: Part;
  #runsLeft = SLICE_RUNS;
  #bound: Bound | null = null;

  constructor(shares: readonly Share[]) {
    this.#parts = shares.map((share) => ({ ...share, used: 0 }));
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

  get boundCompleted(): Bound | null {
    for (const { strategy } of this.#parts) this.#remember(strategy);
    return this.#bound;
  }

  beginRun(): boolean {
    this.#runsLeft -= 1;
    if (this.#runsLeft <= 0) this.#nextSlice();
    while (!this.#running.strategy.beginRun()) {
      const { strategy } = this.#running;
      this.#remember(strategy);
      if (strategy.isExhaustive || this.#parts.length === 1) return false;
      this.#parts = this.#parts.filter((part) => part !== this.#running);
      this.#nextSlice();
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

  #nextSlice(): void {
    this.#running = this.#leastUsed();
    this.#runsLeft = SLICE_RUNS;
  }

  #leastUsed(): Part {
    const least = this.#parts.reduce((best, part) => (part.used < best.used ? part : best));
    return least;
  }

  #remember({ boundCompleted = null }: Strategy): void {
    if (boundCompleted !== null) this.#bound = boundCompleted;
  }
}
