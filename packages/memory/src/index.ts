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
  type Reserve,
} from "@blkstack/task";
export { AnonymousPages } from "./anonymous-pages.ts";
export {
  allFail,
  choosesFailures,
  type FaultPlan,
  failsAt,
  failsTheNth,
  failsWithoutWaiting,
  noneFails,
} from "./fault-plan.ts";
export { restoreNoFs, restoreNoIo, saveNoFs, saveNoIo, withNoFs, withNoIo } from "./gfp-scope.ts";
export { Memory, type MemoryCounters, type MemoryOptions } from "./memory.ts";
export {
  PageAllocator,
  type PageAllocatorCounters,
  type PageAllocatorOptions,
} from "./page-allocator.ts";
export { PerCpuAllocator, type PerCpuAllocatorOptions, PerCpuBlock } from "./per-cpu-allocator.ts";
export { SHRINK_STOP, type Shrinker, ShrinkerRegistry } from "./shrinker.ts";
export { Slab, type SlabOptions } from "./slab.ts";
export { type SwapDevice, SwapSpace } from "./swap-space.ts";
export type { PageBudget } from "./watermarks.ts";
