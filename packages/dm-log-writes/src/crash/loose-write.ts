import type { Sectors } from "@blkstack/bio";
import { LogFlag } from "../log-format.ts";
import type { LoggedEntry } from "../log-reader.ts";

export interface SectorRange {
  readonly sector: Sectors;
  readonly sectors: Sectors;
}

/** A logged write or discard, or a part of one. */
export interface LooseWrite {
  readonly entry: LoggedEntry;
  /** Where on the disk, in rising order. */
  readonly ranges: readonly SectorRange[];
}

export function wholeWrite(entry: LoggedEntry): LooseWrite {
  return { entry, ranges: [{ sector: entry.sector, sectors: entry.sectors }] };
}

export function isDiscard({ entry }: LooseWrite): boolean {
  return (entry.flags & LogFlag.Discard) !== 0;
}

/** One for each sector: on most disks that is what cannot be torn. */
export function tornToSectors({ entry, ranges }: LooseWrite): LooseWrite[] {
  return ranges.flatMap(({ sector, sectors }) =>
    Array.from({ length: sectors }, (_, index) => {
      return { entry, ranges: [{ sector: sector + index, sectors: 1 }] };
    }),
  );
}

/**
 * What is left of older writes when a newer one is durable: writes to one sector land in the order in
 * which they were made, so an older one cannot land any more.
 */
export function withoutOverwritten(older: readonly LooseWrite[], newer: LooseWrite): LooseWrite[] {
  return older.flatMap((write) => {
    const ranges = newer.ranges.reduce(subtracted, write.ranges);
    if (ranges.length === 0) return [];
    return ranges === write.ranges ? [write] : [{ entry: write.entry, ranges }];
  });
}

function subtracted(ranges: readonly SectorRange[], taken: SectorRange): readonly SectorRange[] {
  const end = taken.sector + taken.sectors;
  const isTouched = ranges.some(
    (each) => each.sector < end && taken.sector < each.sector + each.sectors,
  );
  if (!isTouched) return ranges;
  return ranges.flatMap((each) => {
    const before = { sector: each.sector, sectors: taken.sector - each.sector };
    const after = { sector: end, sectors: each.sector + each.sectors - end };
    if (before.sectors >= each.sectors || after.sectors >= each.sectors) return [each];
    return [before, after].filter(({ sectors }) => sectors > 0);
  });
}
