import { waitsOf } from "./failing-run.ts";
import { DivergenceError, Follow } from "./follow.ts";
import { conditionsOf, type GivenConditions } from "./conditions.ts";
import type { CutPoint } from "./crash/crash-ledger.ts";
import type { RecordedStep } from "./recorder.ts";
import { WHOLE } from "./input.ts";
import { nearLines } from "./near-lines.ts";
import { parseReplayLine, replayLineOf, type Stretch } from "./replay-line.ts";
import { type RecordedRun, Runner, STEPS_MAX } from "./run.ts";
import type { Report } from "./report.ts";
import { type Scenario, variantOf } from "./scenario.ts";
import { SoftFollow } from "./soft-follow.ts";
import { type StoryLength, tellStory } from "./story.ts";
import { makeTrace, type Trace } from "./trace.ts";
import { waitSitesOf } from "./wait-sites.ts";

/** Lines next to the one given that are tried when that one does not fail. */
const NEAR_LINES_MAX = 100;

export interface ReplayOptions {
  /** Tell every step, also those that do not matter. Default: "short". */
  readonly story?: StoryLength;
}

/** What came of repeating a run. */
export interface Replayed {
  /** Whether it ended as it was recorded; of a replay line: whether it fails. */
  readonly isSame: boolean;
  readonly report: Report;
}

/**
 * Repeats a run. A trace is repeated step by step: throws a DivergenceError, which says where, when
 * the scenario does not offer a recorded choice or does something else than what was recorded. A
 * replay line (`NAME:VARIANT submitter-1*2`) is followed as far as it still fits, and where it does
 * not fail any more, lines a step or two from it are tried: the report's line is the one that fails.
 * Throws a ReplayLineError when the text is none.
 */
export function replay(
  scenario: Scenario,
  what: Trace | string,
  { story = "short" }: ReplayOptions = {},
): Promise<Replayed> {
  if (typeof what === "string") return replayLine(scenario, what, story);
  return replayTrace(scenario, what, story);
}

async function replayTrace(
  scenario: Scenario,
  trace: Trace,
  length: StoryLength,
): Promise<Replayed> {
  const runner = runnerOf(scenario, trace);
  const recorded = await runner.record(new Follow(trace.choices));
  const { stop, finding } = recorded.outcome;
  if (stop.why === "error" && stop.error instanceof DivergenceError) throw stop.error;
  compareSteps(trace.steps, recorded.recorder.steps);
  const report = await reportOf(runner, recorded, length);
  return { isSame: finding?.kind === trace.finding?.kind, report };
}

async function replayLine(
  scenario: Scenario,
  text: string,
  length: StoryLength,
): Promise<Replayed> {
  const line = parseReplayLine(text);
  const runner = runnerOf(scenario, { ...line, seed: 1, stepsMax: STEPS_MAX });
  const recorded = await followedNearby(runner, line.stretches);
  const report = await reportOf(runner, recorded, length);
  return { isSame: recorded.outcome.finding !== null, report };
}

/** The run that a line leads to; if it does not fail, one next to it that does. */
async function followedNearby(runner: Runner, stretches: readonly Stretch[]): Promise<RecordedRun> {
  const followed = await runner.record(new SoftFollow(stretches));
  if (followed.outcome.finding !== null) return followed;
  let tried = 0;
  for (const near of nearLines(stretches)) {
    tried += 1;
    if (tried > NEAR_LINES_MAX) break;
    const run = await runner.record(new SoftFollow(near));
    if (run.outcome.finding !== null) return run;
  }
  return followed;
}

function runnerOf(
  scenario: Scenario,
  of: Pick<Trace, "scenario" | "variant" | "seed" | "stepsMax" | "input"> & {
    readonly conditions?: GivenConditions;
    readonly cut?: CutPoint | null;
  },
): Runner {
  const { variant, seed, stepsMax, input = WHOLE, cut = null } = of;
  if (scenario.name !== of.scenario) {
    throw new DivergenceError(`a run of "${of.scenario}", not of "${scenario.name}"`);
  }
  const conditions = conditionsOf(variantOf(scenario, variant), of.conditions ?? {});
  return new Runner({ scenario, variant, seed, stepsMax, input, conditions, cut });
}

async function reportOf(
  runner: Runner,
  recorded: RecordedRun,
  length: StoryLength,
): Promise<Report> {
  const { plan, vocabularies } = runner;
  const { outcome, recorder } = recorded;
  const { finding, world, steps } = outcome;
  const failingRuns = finding === null ? 0 : 1;
  const waitSites = await waitSitesOf(runner, recorded);
  const told = {
    scenario: plan.scenario.name,
    variant: plan.variant,
    strategy: "replay",
    decidedBy: "replay",
    boundCompleted: null,
    verdict: finding === null ? "not-found" : "found",
    kind: finding?.kind ?? null,
    message: finding?.message ?? "",
    runs: 1,
    steps,
    schedules: 1,
    failingRuns,
    healedRuns: world.scheduler.healedStalls > 0 ? 1 : 0,
    loopingRuns: world.scheduler.loops.hasCut ? 1 : 0,
    states: null,
    elapsedMs: 0,
    isComplete: false,
    endedBy: "all-run",
    limits: { executions: 1, seconds: null, stepsMax: plan.stepsMax, statesMax: null },
    isStateTableFull: false,
    coverage: null,
    conditions: runner.conditions,
    audited: { determinism: 0, commutation: 0 },
    potentials: [],
    crash: runner.crashes.counts,
    foundAtRun: failingRuns,
    preemptions: recorder.preemptions,
    isShortest: false,
    trace: makeTrace(plan, finding, recorded, waitSites),
    replayLine: finding === null ? null : replayLineOf(plan, recorded),
    waits: waitsOf(runner, recorded),
  } as const;
  const failing = { ...recorded, vocabularies, waitSites, length };
  const story = tellStory(told, finding === null ? undefined : failing);
  return { ...told, story };
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
