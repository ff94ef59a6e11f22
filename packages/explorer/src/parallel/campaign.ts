import { Budget } from "../budget.ts";
import { conditionsOf } from "../conditions.ts";
import type { ExploreOptions } from "../explore-options.ts";
import { learnApart } from "../lockdep/learn-apart.ts";
import type { Progress, Report } from "../report.ts";
import { Runner, STEPS_MAX } from "../run.ts";
import { type Scenario, variantOf } from "../scenario.ts";
import { reportOf } from "../search-report.ts";
import { type Division, divideDrawing, divideProof } from "./divide.ts";
import type { JobPlan } from "./job.ts";
import { type Hand, workOff } from "./work-off.ts";

/** The strategies whose work can be divided. */
export const PARALLEL_STRATEGIES = ["exhaustive", "dpor", "random", "urw", "pos", "pct"] as const;

export type ParallelStrategy = (typeof PARALLEL_STRATEGIES)[number];

/** What a search in parts may be told. */
export interface CampaignOptions extends Pick<
  ExploreOptions,
  | "seed"
  | "depth"
  | "executions"
  | "seconds"
  | "stepsMax"
  | "signal"
  | "faults"
  | "timers"
  | "audits"
> {
  /** Default "exhaustive". */
  readonly strategy?: ParallelStrategy;
  /** Once something is found: stop ("first", the default), or count how many schedules fail ("all"). */
  readonly after?: "first" | "all";
  /** Called a few times a second by each worker. */
  readonly onProgress?: (progress: Progress) => void;
}

/** Parts for each worker, so that none is idle while another has the largest. */
const PARTS_PER_HAND = 12;
const RANDOM_EXECUTIONS = 10_000;

/** Who does the parts of a search. */
export interface Crew {
  /** How many hands there may be. */
  readonly size: number;
  /** One more hand. */
  hire(): Hand;
}

/** Divides a search, has its parts done, and tells what came of all together. */
export async function runCampaign(
  scenario: Scenario,
  variant: string,
  options: CampaignOptions,
  crew: Crew,
): Promise<Report> {
  const { strategy = "exhaustive", after = "first" } = options;
  const plan = jobPlanOf(scenario, variant, options);
  const runner = new Runner({ scenario, ...plan, runsToEnd: after === "all" });
  const isDrawn = strategy !== "exhaustive" && strategy !== "dpor";
  const budget = new Budget(options, isDrawn ? RANDOM_EXECUTIONS : Infinity);
  const division: Division = isDrawn
    ? divideDrawing(strategy, drawingOf(options))
    : await divideProof(runner, strategy, crew.size * PARTS_PER_HAND);
  const { onProgress } = options;
  const count = Math.min(crew.size, division.jobs.length);
  const hands = Array.from({ length: count }, () => crew.hire());
  const done = await workOff(division, hands, { budget, after, onProgress });
  const isProved = done.isComplete && done.best === null && done.tally.healedRuns === 0;
  const known = { finding: done.best?.finding ?? null, isProved };
  const learnt = await learnApart(runner, known, () => budget.endedBy() !== null);
  if (learnt.failure !== null) done.tally.addFailure();
  const isDecided = done.best !== null || done.isComplete;
  return reportOf(runner, {
    ...done,
    strategy,
    decidedBy: isDecided ? strategy : learnt.failure && "lockdep",
    best: done.best ?? learnt.failure,
    potentials: learnt.potentials,
    boundCompleted: null,
    limits: budget.limits,
    endedBy: isDrawn && done.endedBy === "all-run" ? "executions" : done.endedBy,
    isStateTableFull: false,
    // Every hand has counted for itself, and what two have met would count twice.
    crash: null,
    // Whoever saw a failure first has stopped the others.
    sawEveryLength: done.isComplete && strategy === "exhaustive",
  });
}

/** What every part is told. Throws a `RangeError` for a variant that is not there. */
export function jobPlanOf(scenario: Scenario, variant: string, options: CampaignOptions): JobPlan {
  const { seed = 1, stepsMax = STEPS_MAX, after = "first" } = options;
  const { faults, timers, audits } = options;
  const given = { ...(faults && { faults }), ...(timers && { timers }) };
  const conditions = conditionsOf(variantOf(scenario, variant), given);
  const audited = audits === undefined ? {} : { audits };
  return { variant, seed, stepsMax, after, conditions, ...audited };
}

function drawingOf({ seed = 1, depth, executions = RANDOM_EXECUTIONS }: CampaignOptions): {
  seed: number;
  depth: number | null;
  executions: number;
} {
  return { seed, depth: depth ?? null, executions };
}
