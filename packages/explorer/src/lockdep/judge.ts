import { failingRun } from "../failing-run.ts";
import type { Finding } from "../finding.ts";
import type { Runner } from "../run.ts";
import { canBeConfirmed, comesTrue, Confirming } from "./confirm.ts";
import { findCycles } from "./lock-cycles.ts";
import { Lockdep } from "./lockdep.ts";
import {
  type Potential,
  type Suspicion,
  suspicionOfCycle,
  suspicionOfSecond,
} from "./potential.ts";

/** How often one suspicion is led to where it would come true. */
const RUNS_MAX = 64;
/** More of them at a time are more than anybody reads. */
const SUSPICIONS_MAX = 16;

/** A run that failed, as the choices that repeat it. */
export interface Confirmed {
  readonly taken: readonly number[];
  readonly finding: Finding;
  readonly steps: number;
}

/** What became of the attempts to make one suspicion come true. */
interface Attempt {
  runs: number;
  isConfirmed: boolean;
  replayLine: string | null;
}

/** What else a search knows when it asks for a judgement. */
export interface Known {
  /** What the search shows. */
  readonly finding: Finding | null;
  /** All schedules were run, and none fails. */
  readonly isProved: boolean;
}

/** Asks of each suspicion whether some schedule makes it come true. */
export class Judge {
  readonly #runner: Runner;
  readonly #lockdep: Lockdep;
  readonly #attempts = new Map<string, Attempt>();
  /** How much was known when suspicions were last looked for. */
  #knownSize = -1;

  constructor(runner: Runner) {
    this.#runner = runner;
    this.#lockdep = new Lockdep(runner.vocabularies);
  }

  /** Who is to watch the next run of the search; null: nobody, for the time that takes. */
  watcherOfNextRun(): Lockdep | null {
    return this.#lockdep.wantsNextRun() ? this.#lockdep : null;
  }

  /**
   * Tries what was not tried yet, until `isLate`; answers the first run that fails, in whatever way,
   * unless the search has something to show already.
   */
  async confirm(shown: Finding | null, isLate: () => boolean): Promise<Confirmed | null> {
    const size = this.#lockdep.order.size + this.#lockdep.reserves.seconds.size;
    if (size === this.#knownSize) return null;
    for (const suspicion of this.#suspicions().filter(canBeConfirmed)) {
      if (this.#attempts.has(suspicion.key) || comesTrue(suspicion, shown, this.#lockdep)) continue;
      if (this.#attempts.size >= SUSPICIONS_MAX || isLate()) break;
      const found = await this.#attempt(suspicion, isLate);
      if (shown === null && found !== null) return found;
      await this.#writeLine(suspicion, found);
    }
    this.#knownSize = size;
    return null;
  }

  potentials({ finding, isProved }: Known): readonly Potential[] {
    return this.#suspicions().map((suspicion) => {
      const { rule, message, places, guard } = suspicion;
      const { runs, isConfirmed, replayLine } = this.#attempts.get(suspicion.key) ?? NO_ATTEMPT;
      let status: Potential["status"] = "unconfirmed";
      if (guard !== null) status = "guarded";
      else if (isConfirmed || comesTrue(suspicion, finding, this.#lockdep)) status = "confirmed";
      else if (isProved && rule !== "interrupt") status = "unreachable";
      return { rule, message, places, status, runs, guard, replayLine };
    });
  }

  #suspicions(): readonly Suspicion[] {
    const { nodes, order, reserves } = this.#lockdep;
    return [
      ...findCycles(order).map((cycle) => suspicionOfCycle(cycle, nodes)),
      ...[...reserves.seconds.values()].map(suspicionOfSecond),
    ];
  }

  async #attempt(suspicion: Suspicion, isLate: () => boolean): Promise<Confirmed | null> {
    const attempt: Attempt = { runs: 0, isConfirmed: false, replayLine: null };
    this.#attempts.set(suspicion.key, attempt);
    const lockdep = this.#lockdep;
    const strategy = new Confirming(suspicion, lockdep);
    let found: Confirmed | null = null;
    lockdep.isLearning = false;
    while (attempt.runs < RUNS_MAX && !attempt.isConfirmed && !isLate()) {
      strategy.beginRun();
      const { finding, steps, world } = await this.#runner.watched({ strategy, lockdep });
      attempt.runs += 1;
      if (finding === null) continue;
      attempt.isConfirmed = comesTrue(suspicion, finding, lockdep);
      const failure = { taken: world.scheduler.taken, finding, steps };
      if (attempt.isConfirmed) found = failure;
      else found ??= failure;
    }
    lockdep.isLearning = true;
    return found;
  }

  async #writeLine({ key }: Suspicion, failure: Confirmed | null): Promise<void> {
    const attempt = this.#attempts.get(key);
    if (failure === null || attempt?.isConfirmed !== true) return;
    const { replayLine } = await failingRun(this.#runner, failure, false);
    attempt.replayLine = replayLine;
  }
}

const NO_ATTEMPT: Attempt = { runs: 0, isConfirmed: false, replayLine: null };
