import { resolve } from "node:path";
import {
  CheckpointError,
  explore,
  type ExploreOptions,
  parseCheckpoint,
  type Progress,
  type Report,
  type StrategyName,
  type TimerModel,
} from "@blkstack/explorer";
import {
  checkpointFile,
  exploreParallel,
  PARALLEL_STRATEGIES,
  type ParallelStrategy,
} from "@blkstack/explorer/node";
import type { Wanted } from "./find-scenario.ts";
import { UserError } from "./user-error.ts";
import { readUserFile } from "./user-file.ts";

/** How `blkstack explore` is told to search. */
export interface SearchFlags {
  /** Default: as the variant says. */
  readonly strategy?: StrategyName;
  readonly depth?: number;
  readonly bound?: number;
  readonly seed?: number;
  readonly executions?: number;
  readonly seconds?: number;
  readonly stepsMax?: number;
  readonly statesMax?: number;
  readonly dedupe?: "states" | "none";
  readonly coverage?: boolean;
  readonly allocFail?: number;
  readonly ioError?: number;
  readonly audit?: boolean;
  readonly timers?: TimerModel;
  readonly workers?: number;
  readonly checkpoint?: string;
  readonly resume?: string;
  readonly full?: boolean;
}

export interface SearchPlace {
  readonly cwd: string;
  /** Aborted when the user wants to see what there is so far. */
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
}

/** Searches one variant, here or in worker threads. */
export async function searchVariant(
  { scenario, module }: Pick<Wanted, "scenario" | "module">,
  variant: string,
  { checkpoint, resume, workers, allocFail, ioError, audit, full, ...how }: SearchFlags,
  { cwd, ...place }: SearchPlace,
): Promise<Report> {
  const faults = {
    ...(allocFail === undefined ? {} : { allocFail }),
    ...(ioError === undefined ? {} : { ioError }),
  };
  const flags = { ...how, faults, ...(audit === false ? { audits: "off" as const } : {}) };
  const story = full === true ? "full" : "short";
  const options: ExploreOptions = { ...flags, ...place, story };
  if (workers !== undefined) {
    const usual = scenario.variants[variant]?.strategy;
    const strategy = parallelStrategy({ ...flags, strategy: flags.strategy ?? usual });
    const from = { module, name: scenario.name };
    return exploreParallel(from, variant, { ...flags, ...place, strategy, workers });
  }
  try {
    return await explore(scenario, variant, {
      ...options,
      ...(checkpoint === undefined ? {} : { checkpoint: checkpointFile(resolve(cwd, checkpoint)) }),
      ...(resume === undefined
        ? {}
        : { resume: parseCheckpoint(await readUserFile("checkpoint", resume, cwd)) }),
    });
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    throw new UserError(`${resume ?? "--checkpoint"}: ${error.message}`);
  }
}

function parallelStrategy({
  strategy = "exhaustive",
  dedupe,
  coverage,
}: Pick<SearchFlags, "dedupe" | "coverage"> & {
  readonly strategy: StrategyName | undefined;
}): ParallelStrategy {
  if (dedupe === "states" || coverage === true) {
    const what = coverage === true ? "--coverage" : "--dedupe states";
    throw new UserError(`${what} cannot be divided: leave it or --workers out`);
  }
  const parallel = PARALLEL_STRATEGIES.find((known) => known === strategy);
  if (parallel !== undefined) return parallel;
  const known = PARALLEL_STRATEGIES.join(", ");
  throw new UserError(`--workers: ${strategy} cannot be divided; these can: ${known}`);
}
