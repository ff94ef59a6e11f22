export { type Awaitable, isPending } from "./awaitable.ts";
export { Completion, type CompletionOptions } from "./completion.ts";
export {
  effectiveGfp,
  type Gfp,
  GFP_ATOMIC,
  GFP_KERNEL,
  GFP_NOFS,
  GFP_NOIO,
  GFP_NOWAIT,
  GfpBit,
  gfpName,
  type GfpScope,
  GfpScopeBit,
  mayWait,
} from "./gfp.ts";
export { LockMode, type LockOptions, type LockWatcher, type WatchedLock } from "./lock-watcher.ts";
export { Mutex } from "./mutex.ts";
export type { Reserve } from "./reserve.ts";
export { RwSemaphore } from "./rw-semaphore.ts";
export {
  type Access,
  AccessMode,
  type Clock,
  type FaultSource,
  type InterruptSource,
  type Random,
  type Scheduler,
  type TaskBody,
  type TimerHandle,
  type TimerSource,
  WakeReason,
} from "./scheduler.ts";
export { Spinlock } from "./spinlock.ts";
export {
  assertMaySleep,
  assertNothingParked,
  BioLists,
  SleepInAtomicError,
  type SleepHook,
  Task,
} from "./task.ts";
export { Timer } from "./timer.ts";
export { WaitQueue } from "./wait-queue.ts";
export type { EndsBy, Waitable } from "./waitable.ts";
export { WorkItem } from "./work-item.ts";
export { WorkQueue, type WorkQueueOptions } from "./work-queue.ts";
export { type WorkerClient, WorkerPool, type WorkerPoolOptions } from "./worker-pool.ts";
