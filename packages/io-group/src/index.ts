export { GroupStats } from "./group-stats.ts";
export { IoGroup, type IoGroupOptions } from "./io-group.ts";
export { Rcu, type RcuPhase } from "./rcu.ts";
export { blkioFile, blkioLines, blkioTotal, ioStatLine } from "./stat-text.ts";
export {
  bucketOf,
  GROUP_STAT_WORDS,
  HISTOGRAM_BUCKETS,
  StatFamily,
  StatKind,
  statKindOf,
} from "./stat-words.ts";
export {
  correctAsync,
  type StatsAlloc,
  type StatsInstaller,
  type StatsInstallerOptions,
  syncInPath,
} from "./stats-installer.ts";
