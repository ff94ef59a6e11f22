import type { AuditCount, AuditRates, Complaint } from "../audits/auditor.ts";
import type { ChoicePrefix } from "../choice-path.ts";
import type { Conditions } from "../conditions.ts";
import { Dpor } from "../dpor.ts";
import type { DporState } from "../dpor-state.ts";
import type { Scenario } from "../scenario.ts";
import { type Failure, Search } from "../search.ts";
import { strategyNamed } from "../strategies/named.ts";
import { DepthFirst, type Strategy } from "../strategy.ts";
import type { TallyCounts } from "../report.ts";

/** The strategies that draw lots, of which each part has its own. */
export type DrawingStrategy = "random" | "urw" | "pos" | "pct";

/** A part of a search that can be done without knowing of the others; survives a worker's mailbox. */
export type Job =
  | { readonly kind: "exhaustive"; readonly prefix: ChoicePrefix }
  | { readonly kind: "dpor"; readonly prefix: DporState }
  | {
      readonly kind: "draw";
      readonly strategy: DrawingStrategy;
      readonly seed: number;
      readonly depth: number | null;
      readonly executions: number;
    };

/** What all parts of a search have in common. */
export interface JobPlan {
  readonly variant: string;
  /** Of the scenario's own `random`. */
  readonly seed: number;
  readonly stepsMax: number;
  readonly after: "first" | "all";
  /** What may go wrong, and when timers fire. */
  readonly conditions: Conditions;
  readonly audits?: AuditRates | "off";
}

export interface JobResult {
  readonly tally: TallyCounts;
  /** The shortest failure of the part; of a part that stops at the first, that. */
  readonly best: Failure | null;
  /** Whether all schedules of the part were covered. */
  readonly isComplete: boolean;
  readonly complaint: Complaint | null;
  readonly audited: AuditCount;
}

export interface JobOptions {
  /** Ends the part early, with what it has counted until then. */
  readonly signal: AbortSignal;
  /** Called a few times a second. */
  readonly onProgress: (tally: TallyCounts) => void;
}

/** Does one part. Throws what the scenario's `build` throws. */
export async function runJob(
  scenario: Scenario,
  { variant, conditions, ...plan }: JobPlan,
  job: Job,
  { signal, onProgress }: JobOptions,
): Promise<JobResult> {
  const limits = job.kind === "draw" ? { executions: job.executions } : {};
  const search: Search = new Search(scenario, variant, {
    ...plan,
    ...conditions,
    ...limits,
    signal,
    onProgress: () => {
      onProgress(search.tally);
    },
    dedupe: "none",
    // The whole is judged, not each part.
    lockdep: false,
    strategy: strategyOf(job),
  });
  const { tally, ...end } = await search.run();
  const { best, isComplete, complaint, audited } = end;
  return { tally: tally.counts, best, isComplete, complaint, audited };
}

function strategyOf(job: Job): Strategy {
  switch (job.kind) {
    case "exhaustive":
      return new DepthFirst(job.prefix);
    case "dpor":
      return new Dpor(job.prefix);
    case "draw": {
      const { strategy, seed, depth } = job;
      return strategyNamed(strategy, depth === null ? { seed } : { seed, depth });
    }
  }
}
