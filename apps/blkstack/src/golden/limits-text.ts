import type { BlockDevice } from "@blkstack/block";

const SECTOR_BYTES = 512;
/** What "no limit" looks like where a kernel counts in 32 bits. */
const UINT32_MAX = 0xffff_ffff;

/** What `dio info` prints of a device, as far as its queue limits say it. */
export function limitsOf(device: BlockDevice): ReadonlyMap<string, string> {
  const { limits } = device.queue;
  const bytes = (sectors: number): number => Math.min(sectors, UINT32_MAX) * SECTOR_BYTES;
  const maxSectors = Math.min(limits.maxSectors, UINT32_MAX);
  const values: Record<string, number | string> = {
    sectors: device.sizeSectors,
    lbs: limits.logicalBlockBytes,
    pbs: limits.physicalBlockBytes,
    io_min: limits.ioMinBytes,
    io_opt: limits.ioOptBytes,
    ro: device.isReadOnly ? 1 : 0,
    discard_granularity: limits.discardGranularityBytes,
    discard_max_bytes: bytes(limits.maxDiscardSectors),
    write_zeroes_max_bytes: bytes(limits.maxWriteZeroesSectors),
    max_sectors_kb: Math.floor(maxSectors / 2),
    max_segments: limits.maxSegments,
    fua: limits.hasFua && limits.hasVolatileCache ? 1 : 0,
    write_cache: limits.hasVolatileCache ? "write back" : "write through",
    chunk_sectors: limits.chunkSectors,
  };
  return new Map(Object.entries(values).map(([name, value]) => [name, String(value)]));
}

/** Takes a line of `dio info` apart: values may have blanks in them. */
export function parseLimits(line: string): ReadonlyMap<string, string> {
  const fields = line.matchAll(/(?<name>\w+)=(?<value>.*?)(?= \w+=|$)/g);
  return new Map(
    [...fields].map(({ groups }) => [groups?.["name"] ?? "", groups?.["value"] ?? ""]),
  );
}
