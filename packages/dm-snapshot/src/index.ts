export {
  snapshot,
  snapshotMerge,
  snapshotOrigin,
  snapshotTargets,
  type SnapshotTargets,
} from "./targets.ts";
export {
  ExclusiveLock,
  SharedLock,
  type SettlePolicy,
  type SettlingCopy,
  SNAPSHOT_POLICIES,
  type SnapshotLock,
  type SnapshotPolicies,
  type WrittenChunk,
} from "./policies.ts";
export type { OriginTurn, OriginTurnPolicy } from "./origin-turn.ts";
export {
  chunkSizeProblem,
  COW_MAGIC,
  COW_VERSION,
  type CowHeader,
  DEFAULT_CHUNK_SECTORS,
  LARGEST_CHUNK_SECTORS,
} from "./cow-header.ts";
export { type CowIo, type CowRead } from "./cow-io.ts";
export { EARLY_WARNING_PERCENT } from "./fill-warning.ts";
export { CowLayout, type StoreUsage } from "./cow-layout.ts";
export {
  type CommitListener,
  type ExceptionStore,
  LoadResult,
  type MergeRun,
  type PreparedException,
} from "./exception-store.ts";
export { type CowProblem, type CowProblemKind, type CowReport, inspectCow } from "./inspect-cow.ts";
export { RemoveResult, type RunVisitor } from "./exception-run.ts";
export { CHUNK_LIMIT, ExceptionTable } from "./exception-table.ts";
export { PersistentStore, type PersistentStoreOptions } from "./persistent-store.ts";
export { TransientStore } from "./transient-store.ts";
