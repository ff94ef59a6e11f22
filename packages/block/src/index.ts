export { BioAccount, ioKindOf } from "./bio-account.ts";
export { defaultLimits, stackingLimits } from "./default-limits.ts";
export { type BlockDevice, deviceOf, type Partition, type Submitter } from "./device.ts";
export { BlockError, type BlockErrorCode, type Errno, ERRNO_MESSAGES } from "./errors.ts";
export { type AskedExtent, type AskingDevice, ExtentInquiry } from "./extent-inquiry.ts";
export { type Extent, ExtentFlag, ExtentLayer, findExtent, setData } from "./extent.ts";
export type { QueueLimits } from "./limits.ts";
export { Moment } from "./moment.ts";
export { EnterResult, RequestQueue, type SubmitHook } from "./request-queue.ts";
export { stackLimits } from "./stack-limits.ts";
export {
  API_VERSION,
  assertApiVersion,
  defineTarget,
  type DeviceRange,
  EndIoResult,
  MapResult,
  type StatusKind,
  type Target,
  type TargetContext,
  type TargetHost,
  type TargetType,
} from "./target.ts";
export { validateLimits } from "./validate-limits.ts";
export { IO_KIND_NAMES, IoKind, IoStats, LATENCY_BUCKETS, latencyBucketOf } from "./io-stats.ts";
