import type { Submitter, TargetType } from "@blkstack/block";
import { cache } from "@blkstack/dm-cache";
import { bounce } from "@blkstack/dm-bounce";
import { delay } from "@blkstack/dm-delay";
import { dust } from "@blkstack/dm-dust";
import { error } from "@blkstack/dm-error";
import { flakey } from "@blkstack/dm-flakey";
import { linear } from "@blkstack/dm-linear";
import { logWrites } from "@blkstack/dm-log-writes";
import { snapshot, snapshotMerge, snapshotOrigin } from "@blkstack/dm-snapshot";
import { throttle } from "@blkstack/dm-throttle";
import { striped } from "@blkstack/dm-striped";
import { zero } from "@blkstack/dm-zero";
import { MakeRequest, SplitSetPerDevice } from "@blkstack/make-request";
import { Memory } from "@blkstack/memory";
import { EventLoopScheduler } from "@blkstack/task/node";

/** The targets that tables may name. The one place that says which there are. */
export const TARGETS: readonly TargetType[] = [
  linear,
  striped,
  zero,
  error,
  delay,
  flakey,
  dust,
  throttle,
  bounce,
  logWrites,
  snapshot,
  snapshotOrigin,
  snapshotMerge,
  cache,
];

/** What the stacks of one process stand on. */
export interface Ground {
  readonly scheduler: EventLoopScheduler;
  readonly memory: Memory;
  readonly submitter: Submitter;
}

export interface GroundOptions {
  /** Whether what devices do is counted. */
  readonly isCounting?: boolean;
  /** Hears what devices warn of; unless told, it is a warning of the process. */
  readonly onWarning?: (message: string) => void;
}

/**
 * Memory counts its pages, but there are always more until `limitMemory`: a stack that is being set
 * up takes its reserves, and then it is seen what they are.
 */
export function makeGround({ isCounting = false, onWarning }: GroundOptions = {}): Ground {
  const scheduler = new EventLoopScheduler(onWarning === undefined ? {} : { onWarning });
  const pages = { totalPages: Number.MAX_SAFE_INTEGER, minPages: 0 };
  const memory = new Memory({ scheduler, pages });
  const accounts = isCounting ? { accountClock: scheduler.clock } : {};
  const split = new SplitSetPerDevice({ scheduler, memory });
  return { scheduler, memory, submitter: new MakeRequest({ split, ...accounts }) };
}
