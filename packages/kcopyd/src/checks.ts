import { type Bytes, invariant, PAGE_BYTES, type Sectors } from "@blkstack/bio";
import { BlockError } from "@blkstack/block";
import type { IoRegion } from "./region.ts";

/** More pages than this are not copied in one piece. */
export const SUB_JOB_BYTES_MAX: Bytes = 1024 * 1024;
const DESTINATIONS_MAX = 8;

export function checkDestinations(
  label: string,
  destinations: readonly IoRegion[],
  sectors: Sectors,
): void {
  const { length } = destinations;
  if (length === 0 || length > DESTINATIONS_MAX) {
    invariant(false, `${label}: a job with ${String(length)} destinations`);
  }
  for (const destination of destinations) {
    if (destination.sectors === sectors) continue;
    invariant(false, `${label}: a destination is not as long as the source`);
  }
}

export function checkSubJob(label: string, bytes: Bytes): void {
  if (bytes > 0 && bytes <= SUB_JOB_BYTES_MAX && bytes % PAGE_BYTES === 0) return;
  const given = `subJobBytes is ${String(bytes)}`;
  throw new BlockError("BLK_STATE", "EINVAL", `${label}: ${given}; give whole pages, up to 1 MiB`);
}

export function checkPercent(label: string, percent: number): number {
  if (percent >= 1 && percent <= 100) return percent;
  const given = `throttlePercent is ${String(percent)}`;
  throw new BlockError("BLK_STATE", "EINVAL", `${label}: ${given}; give 1 to 100`);
}

/** How long the regions of a list are that are all of one length. */
export function lengthOf(regions: readonly IoRegion[]): Sectors {
  return regions[0]?.sectors ?? 0;
}
