import { type Bytes, PAGE_BYTES } from "@blkstack/bio";
import type { Memory } from "@blkstack/memory";
import type { NbdLimits } from "@blkstack/nbd";
import { DEFAULT_LIMITS } from "@blkstack/nbd";
import { formatSize } from "@blkstack/stack";
import { UserError } from "./user-error.ts";

const MIB = 2 ** 20;
/** Two of the smallest largest requests that a server may allow. */
const PAYLOAD_MIN_BYTES = 2 * MIB;

/**
 * Holds `memory` to `budgetBytes` from now on, and answers what clients may have of it: all that the
 * reserves of the stack and of its exports leave, as long as no copy or cache has it. `wanted` are the
 * limits that the user gave.
 *
 * Throws a UserError that names the least that is enough, or the most that can be had.
 */
export function limitMemory(
  memory: Memory,
  budgetBytes: Bytes,
  wanted: Partial<NbdLimits> = {},
): Partial<NbdLimits> {
  const reservedBytes = (memory.totalPages - memory.freePages) * PAGE_BYTES;
  const payloadBytes = budgetBytes - reservedBytes;
  if (payloadBytes < PAYLOAD_MIN_BYTES) {
    const leastKiB = Math.ceil((reservedBytes + PAYLOAD_MIN_BYTES) / 1024);
    const reservedKiB = Math.ceil(reservedBytes / 1024);
    throw new UserError(
      `--memory: ${String(budgetBytes / 1024)}KiB is too little for this stack, which keeps ` +
        `${String(reservedKiB)}KiB in reserve; it should be at least ${String(leastKiB)}KiB`,
    );
  }
  const totalPages = Math.floor(budgetBytes / PAGE_BYTES);
  // Nothing allocates in emergencies here, so that all of it may be used.
  const lowPages = Math.floor(totalPages / 64);
  memory.resize({ totalPages, minPages: 0, lowPages, highPages: 2 * lowPages });
  const { bytesInFlightMax = 0 } = wanted;
  if (bytesInFlightMax > payloadBytes) {
    const most = formatSize(payloadBytes - (payloadBytes % MIB));
    throw new UserError(
      `--limit bytes-in-flight=${formatSize(bytesInFlightMax)}: it should be at most ${most}, ` +
        "which is what --memory leaves for all clients",
    );
  }
  return { ...limitsFor(payloadBytes), ...wanted };
}

/** With little memory a client gets less at a time, so that there is some for another. */
function limitsFor(payloadBytes: Bytes): Partial<NbdLimits> {
  const half = Math.floor(payloadBytes / 2 / MIB) * MIB;
  return {
    serverBytesMax: payloadBytes,
    requestBytesMax: Math.min(DEFAULT_LIMITS.requestBytesMax, half),
    bytesInFlightMax: Math.min(DEFAULT_LIMITS.bytesInFlightMax, half),
  };
}
