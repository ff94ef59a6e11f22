import type { Jiffies } from "./timing.ts";
import { WEIGHT_DEFAULT } from "./weight.ts";

/**
 * Time that a group was served, scaled inversely to its weight: all groups get on at the same pace.
 * 64 bits that wrap around: which of two is later is the sign of their difference.
 */
export type VirtualTime = bigint;

/** A tick of service is so many units, so that heavy groups do not lose all of it to rounding. */
const SERVICE_SCALE = 4096;

/** Exact up to 2^28 ticks at a time. */
export function virtualTimeOf(served: Jiffies, weight: number): VirtualTime {
  return BigInt(Math.floor((served * SERVICE_SCALE * WEIGHT_DEFAULT) / weight));
}

export function plus(time: VirtualTime, by: VirtualTime): VirtualTime {
  return BigInt.asIntN(64, time + by);
}

export function isBefore(time: VirtualTime, other: VirtualTime): boolean {
  return BigInt.asIntN(64, time - other) < 0n;
}

export function laterOf(time: VirtualTime, other: VirtualTime): VirtualTime {
  return isBefore(time, other) ? other : time;
}
