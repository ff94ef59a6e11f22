import type { RecordedRun, Runner } from "./run.ts";
import { exhaustive } from "./strategy.ts";

/** How much may be run to be sure. */
const RUNS_MAX = 200;
const STEPS_MAX = 4_000;

/**
 * Whether every schedule of fewer steps was run, and none fails. False also where that takes too
 * long to find out. It asks of what is left of the scenario, if parts were taken away.
 */
export async function isShortestOfAll(
  runner: Runner,
  { recorder, input }: RecordedRun,
): Promise<boolean> {
  const stepsMax = recorder.steps.length - 1;
  const strategy = exhaustive();
  let stepsTaken = 0;
  for (let run = 0; run < RUNS_MAX && stepsTaken < STEPS_MAX; run += 1) {
    if (!strategy.beginRun()) return true;
    const { finding, stop, steps } = await runner.watched({ strategy, stepsMax, input });
    if (finding !== null && stop.why !== "too-long") return false;
    stepsTaken += steps;
  }
  return false;
}
