import { FollowIndices } from "./follow.ts";
import type { Input } from "./input.ts";
import type { RecordedRun, Runner } from "./run.ts";
import { signatureOf } from "./signature.ts";
import { preemptions } from "./strategies/bounded.ts";
import type { Strategy } from "./strategy.ts";

/** Runs at most to make one failure smaller, beside those of the searches. */
const RUNS_MAX = 300;

export interface SearchWithin {
  /** Preemptions at most. */
  readonly bound: number;
  readonly stepsMax: number;
  readonly runsMax: number;
  readonly input: Input;
}

/** Runs of which each asks: does it still fail in the same way? */
export class Attempts {
  readonly #runner: Runner;
  readonly #signature: string | null;
  #runs = 0;

  constructor(runner: Runner, failing: RecordedRun) {
    this.#runner = runner;
    this.#signature = signatureOf(failing.outcome.finding);
  }

  get isSpent(): boolean {
    return this.#runs >= RUNS_MAX;
  }

  /** The run, if it fails in the same way. */
  async failing(strategy: Strategy, input: Input): Promise<RecordedRun | null> {
    const run = await this.run(strategy, input);
    return signatureOf(run.outcome.finding) === this.#signature ? run : null;
  }

  run(strategy: Strategy, input: Input): Promise<RecordedRun> {
    this.#runs += 1;
    return this.#runner.record(strategy, input);
  }

  /** Whether some run of a few ends well: the one that goes by itself, and those of `strategy`. */
  async canEndWell(strategies: Iterable<Strategy>, input: Input): Promise<boolean> {
    for (const strategy of strategies) {
      strategy.beginRun();
      const { finding } = await this.#runner.watched({ strategy, input });
      if (finding === null) return true;
    }
    return false;
  }

  /** The first schedule within a bound that fails in the same way, among so many. */
  async search({ bound, stepsMax, runsMax, input }: SearchWithin): Promise<RecordedRun | null> {
    const strategy = preemptions(bound);
    for (let run = 0; run < runsMax && strategy.beginRun(); run += 1) {
      const { finding, world } = await this.#runner.watched({ strategy, stepsMax, input });
      if (signatureOf(finding) !== this.#signature) continue;
      return this.failing(new FollowIndices(world.scheduler.taken), input);
    }
    return null;
  }
}
