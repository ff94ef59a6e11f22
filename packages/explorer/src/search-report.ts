import { failingRun, waitsOf } from "./failing-run.ts";
import type { Report } from "./report.ts";
import type { Runner } from "./run.ts";
import type { SearchEnd } from "./search.ts";
import { tellStory } from "./story.ts";
import { makeTrace } from "./trace.ts";

/** Makes of a search what people read: a failure is repeated, made smaller and told. */
export async function reportOf(runner: Runner, end: SearchEnd): Promise<Report> {
  const { scenario, variant } = runner.plan;
  const { best, isComplete } = end;
  const { schedules, healedRuns, runsUntilFound } = end.tally;
  const { runs, steps, failingRuns, states, elapsedMs, coverage } = end.progress;
  const counted = {
    ...{ runs, steps, failingRuns, states, elapsedMs, coverage },
    scenario: scenario.name,
    variant,
    strategy: end.strategy,
    decidedBy: end.decidedBy,
    boundCompleted: end.boundCompleted,
    schedules,
    healedRuns,
    isComplete,
    endedBy: end.endedBy,
    limits: end.limits,
    isStateTableFull: end.isStateTableFull,
  };
  if (best === null) {
    // A retry that helped was not explored further, so nothing is proved then.
    const verdict = isComplete && healedRuns === 0 ? "proved" : "not-found";
    const report = { ...counted, verdict, kind: null, message: "" } as const;
    return {
      ...report,
      foundAtRun: 0,
      preemptions: 0,
      isShortest: false,
      trace: null,
      replayLine: null,
      waits: null,
      story: tellStory(report),
    };
  }
  const isShortest = end.sawEveryLength;
  const failing = await failingRun(runner, best, isShortest);
  const { recorded, finding, replayLine } = failing;
  const report = {
    ...counted,
    verdict: "found",
    kind: finding.kind,
    message: finding.message,
    foundAtRun: runsUntilFound,
    preemptions: recorded.recorder.preemptions,
    isShortest,
    trace: makeTrace(runner.plan, finding, recorded),
    replayLine,
    waits: waitsOf(runner, recorded),
  } as const;
  const { vocabularies } = runner;
  const story = tellStory(report, { ...recorded, decisions: failing.decisions, vocabularies });
  return { ...report, story };
}
