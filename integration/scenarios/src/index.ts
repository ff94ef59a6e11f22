import type { Scenario } from "@blkstack/explorer";
import { biosetSplit } from "./bioset-split/index.ts";
import { ageingCache } from "./ageing-cache/index.ts";
import { bouncedRequest } from "./bounced-request/index.ts";
import { cacheOnLoop } from "./cache-on-loop/index.ts";
import { extraLevel } from "./extra-level/index.ts";
import {
  linearAndSnapshot,
  linearAndSnapshotWithMutex,
  originInTheTree,
} from "./linear-and-snapshot/index.ts";
import { cfqGroups } from "./cfq-groups/index.ts";
import { copyThrottle } from "./copy-throttle/index.ts";
import { earlyBios } from "./early-bios/index.ts";
import { equivalentWays } from "./equivalent-ways/index.ts";
import { fanOut } from "./fan-out/index.ts";
import { groupWithoutMemory } from "./group-without-memory/index.ts";
import { handover } from "./handover/index.ts";
import { headerAndArea } from "./header-and-area/index.ts";
import { mergeBesideSnapshot } from "./merge-beside-snapshot/index.ts";
import { pendingReserve } from "./pending-reserve/index.ts";
import { pushBack } from "./push-back/index.ts";
import { secondException } from "./second-exception/index.ts";
import { ioInsideMap } from "./io-inside-map/index.ts";
import { memoryShort } from "./memory-short/index.ts";
import { oneFlushAtATime } from "./one-flush-at-a-time/index.ts";
import { waitsForReads } from "./waits-for-reads/index.ts";
import { discardsInOnePass } from "./discards-in-one-pass/index.ts";
import { pieces } from "./pieces/index.ts";
import { powerCut } from "./power-cut/index.ts";
import { remainderChain } from "./remainder-chain/index.ts";
import { rescuerFifo } from "./rescuer-fifo/index.ts";
import { sameSnapshot } from "./same-snapshot/index.ts";
import { snapshotAndLinear } from "./snapshot-and-linear/index.ts";
import { statsAllocation } from "./stats-allocation/index.ts";
import { statsInstallation } from "./stats-installation/index.ts";
import { statsLockOrder } from "./stats-lock-order/index.ts";
import { statsRetry } from "./stats-retry/index.ts";

/** All that can be explored, in the order in which it is listed. */
export const scenarios: readonly Scenario[] = [
  biosetSplit,
  bouncedRequest,
  sameSnapshot,
  linearAndSnapshot,
  linearAndSnapshotWithMutex,
  originInTheTree,
  snapshotAndLinear,
  rescuerFifo,
  extraLevel,
  remainderChain,
  discardsInOnePass,
  pieces,
  powerCut,
  waitsForReads,
  ioInsideMap,
  oneFlushAtATime,
  memoryShort,
  cacheOnLoop,
  ageingCache,
  fanOut,
  copyThrottle,
  pushBack,
  secondException,
  handover,
  mergeBesideSnapshot,
  pendingReserve,
  headerAndArea,
  statsAllocation,
  statsLockOrder,
  statsInstallation,
  statsRetry,
  groupWithoutMemory,
  earlyBios,
  cfqGroups,
  equivalentWays,
];
