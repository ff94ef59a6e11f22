export { checkpointFile, readCheckpoint } from "./node/checkpoint-file.ts";
export { exploreParallel, type ParallelOptions } from "./node/explore-parallel.ts";
export { loadScenarios, type ScenarioModule, ScenarioModuleError } from "./node/load-scenario.ts";
export { WorkerError } from "./node/crew.ts";
export {
  type CampaignOptions,
  PARALLEL_STRATEGIES,
  type ParallelStrategy,
} from "./parallel/campaign.ts";
