import { availableParallelism } from "node:os";
import { type CampaignOptions, jobPlanOf, runCampaign } from "../parallel/campaign.ts";
import type { Report } from "../report.ts";
import { WorkerHand } from "./crew.ts";
import { loadScenario, type ScenarioModule } from "./load-scenario.ts";

export interface ParallelOptions extends CampaignOptions {
  /** Threads. Default: as many as the machine runs at once. */
  readonly workers?: number;
  /**
   * Options of node for the workers, such as `["--import", "tsx"]` where the module is TypeScript.
   * Default: as this process was started.
   */
  readonly execArgv?: readonly string[];
}

/**
 * As `explore`, by worker threads, each of which imports the scenario from `from.module`. The top of
 * all there is to choose is gone through here, and the parts below are handed out; their counts add
 * up to those of one thread, runs by "exhaustive" and schedules by "dpor". Strategies that draw lots
 * do so in parts with seeds of their own: the report is the same for any number of workers.
 *
 * Merging equal states cannot be divided, for a state would be counted by each who meets it: every
 * schedule is run, or by "dpor" every class of them, whatever the variant says. Throws a
 * `RangeError` for a variant that is not there, a `ScenarioModuleError`, and a `WorkerError` when a
 * worker comes to grief. Waits: until all workers are gone.
 */
export async function exploreParallel(
  from: ScenarioModule,
  variant: string,
  options: ParallelOptions = {},
): Promise<Report> {
  const { workers = availableParallelism(), execArgv } = options;
  if (!Number.isInteger(workers) || workers < 1) {
    throw new RangeError(`${String(workers)} workers; it should be a whole number from 1`);
  }
  const scenario = await loadScenario(from);
  const plan = jobPlanOf(scenario, variant, options);
  const birth = { module: String(from.module), name: from.name, plan };
  const hired: WorkerHand[] = [];
  const hire = (): WorkerHand => {
    const hand = new WorkerHand(birth, execArgv);
    hired.push(hand);
    return hand;
  };
  try {
    return await runCampaign(scenario, variant, options, { size: workers, hire });
  } finally {
    await Promise.all(hired.map((hand) => hand.end()));
  }
}
