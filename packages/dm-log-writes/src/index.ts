export { CrashDisk, type CrashTarget } from "./crash/crash-disk.ts";
export { type CrashPoint, type CrashPointOptions, crashPoints } from "./crash/crash-points.ts";
export {
  type CrashState,
  type CrashStateOptions,
  crashStates,
  isStateOf,
} from "./crash/crash-states.ts";
export { fewestLost } from "./crash/fewest-lost.ts";
export { type LooseWrite, type SectorRange } from "./crash/loose-write.ts";
export { inspectLog, type LogMark, type LogReport } from "./inspect-log.ts";
export { LogError, type LogProblem } from "./log-error.ts";
export { END_MARK, LogFlag } from "./log-format.ts";
export { type LoggedEntry, LogReader, type LogSource } from "./log-reader.ts";
export { logWrites } from "./log-writes.ts";
export { type Replayed, replayLog, type ReplayOptions, type ReplayTarget } from "./replay-log.ts";
