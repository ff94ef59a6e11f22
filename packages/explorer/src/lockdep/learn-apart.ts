import type { Runner } from "../run.ts";
import { random } from "../strategy.ts";
import { type Confirmed, Judge, type Known } from "./judge.ts";
import type { Potential } from "./potential.ts";

/** Runs drawn to learn the orders of locks from: most are seen in the first few. */
const RUNS = 256;

/** What was learnt, and the first failure that it led to. */
export interface LearntApart {
  readonly potentials: readonly Potential[];
  readonly failure: Confirmed | null;
}

/** For a search whose runs are made elsewhere, out of sight: learns from runs of its own. */
export async function learnApart(
  runner: Runner,
  known: Known,
  isLate: () => boolean,
): Promise<LearntApart> {
  const judge = new Judge(runner);
  const strategy = random(runner.plan.seed);
  for (let run = 0; run < RUNS && strategy.beginRun() && !isLate(); run += 1) {
    await runner.watched({ strategy, lockdep: judge.watcherOfNextRun() });
  }
  const { finding, isProved } = known;
  const failure = isProved ? null : await judge.confirm(finding, isLate);
  const shown = finding ?? failure?.finding ?? null;
  return { potentials: judge.potentials({ finding: shown, isProved }), failure };
}
