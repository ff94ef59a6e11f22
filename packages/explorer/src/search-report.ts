import { type FailingRun, failingRun, suspiciousRun, waitsOf } from "./failing-run.ts";
import { potentialLines } from "./lockdep/potential-lines.ts";
import type { Report } from "./report.ts";
import { isWhole } from "./input.ts";
import type { RecordedRun, Runner } from "./run.ts";
import type { SearchEnd } from "./search.ts";
import { isShortestOfAll } from "./shortest.ts";
import { siblingOf } from "./sibling.ts";
import { type StoryLength, tellStory } from "./story.ts";
import { makeTrace } from "./trace.ts";
import { waitSitesOf } from "./wait-sites.ts";

/** Makes of a search what people read: a failure is repeated, made smaller and told. */
export async function reportOf(
  runner: Runner,
  end: SearchEnd,
  length: StoryLength = "short",
): Promise<Report> {
  const { scenario, variant } = runner.plan;
  const { best, isComplete } = end;
  const { schedules, healedRuns, loopingRuns, runsUntilFound } = end.tally;
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
    loopingRuns,
    isComplete,
    endedBy: end.endedBy,
    limits: end.limits,
    isStateTableFull: end.isStateTableFull,
    conditions: runner.conditions,
    audited: end.audited,
    potentials: end.potentials,
    crash: end.crash,
  };
  const failing = await failureOf(runner, end);
  if (failing === null) {
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
      story: withPotentials(tellStory(report), end),
    };
  }
  const { recorded, finding, replayLine } = failing;
  const waitSites = await waitSitesOf(runner, recorded);
  const report = {
    ...counted,
    verdict: "found",
    kind: finding.kind,
    message: finding.message,
    foundAtRun: runsUntilFound || (end.complaint?.atRun ?? 0),
    preemptions: recorded.recorder.preemptions,
    isShortest: best !== null && (await isShortest(runner, end, recorded)),
    trace: makeTrace(runner.plan, finding, recorded, waitSites),
    replayLine,
    waits: waitsOf(runner, recorded),
  } as const;
  const { vocabularies } = runner;
  // What is known of the program itself, and not of one schedule, no variant does otherwise.
  const isOfSchedule = best !== null && finding.kind !== "NONDETERMINISM";
  const sibling = isOfSchedule ? await siblingOf(runner, recorded) : null;
  const explained = { decisions: failing.decisions, sibling, waitSites };
  const story = tellStory(report, { ...recorded, ...explained, vocabularies, length });
  return { ...report, story: withPotentials(story, end) };
}

function withPotentials(story: string, { potentials, best }: SearchEnd): string {
  return [story, ...potentialLines(potentials, best !== null)].join("\n");
}

/** The search may know it; else a search of all that is shorter says so, if that is little. */
async function isShortest(
  runner: Runner,
  { sawEveryLength }: SearchEnd,
  recorded: RecordedRun,
): Promise<boolean> {
  if (sawEveryLength && isWhole(recorded.input)) return true;
  return isShortestOfAll(runner, recorded);
}

/** The failure to be shown: one of the program's own before one of what is known of it. */
async function failureOf(runner: Runner, end: SearchEnd): Promise<FailingRun | null> {
  const { best, complaint } = end;
  if (best !== null) return failingRun(runner, best, end.sawEveryLength);
  return complaint === null ? null : suspiciousRun(runner, complaint);
}
