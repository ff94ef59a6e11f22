export { assertNothingFound, type AssertOptions, FoundError } from "./assert-nothing-found.ts";
export type { AuditCount, AuditRates } from "./audits/auditor.ts";
export { Cell } from "./cell.ts";
export { type Check, CHECKS, type FinishedRun } from "./check.ts";
export type { CrashCounts, CutPoint } from "./crash/crash-ledger.ts";
export { contentKey, type Fingerprint } from "./crash/fingerprints.ts";
export type { Barrier, Kept, LooseSector, SectorVersion } from "./crash/kept.ts";
export type { CrashImage, PowerCut, PowerCuts } from "./crash/power-cuts.ts";
export { type CachedWrite, type SectorSource, VolatileCache } from "./crash/volatile-cache.ts";
export type { Conditions, FaultBudget, GivenConditions, TimerModel } from "./conditions.ts";
export { HUNG_TASK_MS, hungTasks } from "./hung-tasks.ts";
export { explore } from "./explore.ts";
export {
  exploreTest,
  type ExplorationTest,
  type MakeProgram,
  type TestContext,
  type TestOptions,
  type TestProgram,
} from "./explore-test.ts";
export { REPORT_FORMAT, REPORT_VERSION, type ReportJson, reportToJson } from "./report-json.ts";
export type { ExploreOptions } from "./explore-options.ts";
export type { Guard } from "./actor.ts";
export { ExploringScheduler } from "./exploring-scheduler.ts";
export type { RunOptions, Stop } from "./run-options.ts";
export type { RunWatcher } from "./run-watcher.ts";
export {
  type Checkpoint,
  CHECKPOINT_FORMAT,
  CHECKPOINT_VERSION,
  CheckpointError,
  type CheckpointStore,
  parseCheckpoint,
} from "./checkpoint.ts";
export { type Finding, FindingError, type FindingKind } from "./finding.ts";
export { DivergenceError } from "./follow.ts";
export type { Input } from "./input.ts";
export type { Place as PotentialPlace } from "./lockdep/lock-order.ts";
export type { Potential, PotentialRule } from "./lockdep/potential.ts";
export type { RunLockWatcher } from "./lockdep/run-lock-watcher.ts";
export type { RecordedChoice, RecordedStep } from "./recorder.ts";
export {
  looksLikeReplayLine,
  parseReplayLine,
  type ReplayLine,
  ReplayLineError,
  type Stretch,
} from "./replay-line.ts";
export { type ChromeEvent, toChromeTrace } from "./render/chrome-trace.ts";
export { toDot } from "./render/dot.ts";
export { toLanes } from "./render/lanes.ts";
export { toMermaid } from "./render/mermaid.ts";
export type { WaitGraph, WaitGraphEdge, WaitGraphNode } from "./render/wait-graph.ts";
export { replay, type Replayed, type ReplayOptions } from "./replay.ts";
export type {
  Counted,
  Coverage,
  EndedBy,
  Limits,
  Progress,
  Report,
  TallyCounts,
} from "./report.ts";
export {
  defineScenario,
  type Expectation,
  type Scenario,
  type SpawnOptions,
  type Summary,
  type Variant,
  type World,
} from "./scenario.ts";
export { dpor } from "./dpor.ts";
export { delays, preemptions } from "./strategies/bounded.ts";
export { STRATEGY_NAMES, type StrategyName, type StrategySettings } from "./strategies/named.ts";
export { pct, type PctOptions } from "./strategies/pct.ts";
export { portfolio, type PortfolioOptions, type Share } from "./strategies/portfolio.ts";
export { partialOrderSampling } from "./strategies/pos.ts";
export { uniformWalk } from "./strategies/urw.ts";
export { type Bound, exhaustive, GIVE_UP, random, type Strategy } from "./strategy.ts";
export type { StoryLength } from "./story.ts";
export type { StepLog } from "./step-log.ts";
export type { WaitSites } from "./wait-sites.ts";
export { parseTrace, type Trace, TRACE_FORMAT, TRACE_VERSION, TraceFormatError } from "./trace.ts";
export { bioVocabulary } from "./bio-vocabulary.ts";
export type { Place, RunView, Vocabulary, Whereabouts } from "./vocabulary.ts";
