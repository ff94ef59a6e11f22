import { DivergenceError, Follow } from "./follow.ts";
import type { RecordedStep } from "./recorder.ts";
import { Runner } from "./run.ts";
import type { Report } from "./report.ts";
import type { Scenario } from "./scenario.ts";
import { tellStory } from "./story.ts";
import { variantOf } from "./explore.ts";
import { makeTrace, type Trace } from "./trace.ts";

/** What came of repeating a trace. */
export interface Replayed {
  /** Whether it ended as it was recorded. */
  readonly isSame: boolean;
  readonly report: Report;
}

/**
 * Repeats a trace step by step. Throws a DivergenceError, which says where, when the scenario does
 * not offer a recorded choice or does something else than what was recorded.
 */
export async function replay(scenario: Scenario, trace: Trace): Promise<Replayed> {
  if (scenario.name !== trace.scenario) {
    throw new DivergenceError(`a trace of "${trace.scenario}", not of "${scenario.name}"`);
  }
  const { variant, seed, stepsMax } = trace;
  variantOf(scenario, variant);
  const runner = new Runner({ scenario, variant, seed, stepsMax });
  const recorded = await runner.record(new Follow(trace.choices));
  const { outcome, recorder } = recorded;
  const { stop, finding, world } = outcome;
  if (stop.why === "error" && stop.error instanceof DivergenceError) throw stop.error;
  compareSteps(trace.steps, recorder.steps);
  const told = {
    scenario: trace.scenario,
    variant,
    strategy: "replay",
    decidedBy: "replay",
    boundCompleted: null,
    verdict: finding === null ? "not-found" : "found",
    kind: finding?.kind ?? null,
    message: finding?.message ?? "",
    runs: 1,
    steps: outcome.steps,
    schedules: 1,
    failingRuns: finding === null ? 0 : 1,
    healedRuns: world.scheduler.healedStalls > 0 ? 1 : 0,
    states: null,
    elapsedMs: 0,
    isComplete: false,
    foundAtRun: finding === null ? 0 : 1,
    preemptions: recorder.preemptions,
    isShortest: false,
    trace: makeTrace(trace, finding, recorder),
  } as const;
  const { vocabularies } = runner;
  const story = tellStory(told, finding === null ? undefined : { ...recorded, vocabularies });
  return { isSame: finding?.kind === trace.finding?.kind, report: { ...told, story } };
}

function compareSteps(recorded: readonly RecordedStep[], now: readonly RecordedStep[]): void {
  for (let index = 0; index < Math.max(recorded.length, now.length); index += 1) {
    const [before, after] = [stepText(recorded[index]), stepText(now[index])];
    if (before === after) continue;
    const step = `at step ${String(index + 1)}`;
    throw new DivergenceError(`${step} the trace has ${before}, but now there is ${after}`);
  }
}

function stepText(step: RecordedStep | undefined): string {
  return step === undefined ? "no such step" : `"${step.actor}: ${step.what}"`;
}
