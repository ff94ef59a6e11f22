import type { CacheArguments } from "./cache-arguments.ts";
import type { CachedDevice } from "./cached-device.ts";

/**
 * `BLOCK_BYTES USED/TOTAL READ_HITS READ_MISSES WRITE_HITS WRITE_MISSES BYPASSED EVICTIONS DIRTY MODE`:
 * used, total, evictions and dirty are blocks, hits and misses bios.
 */
export function cacheStatus(cached: CachedDevice, { mode }: CacheArguments): string {
  const { readHits, readMisses, writeHits, writeMisses, bypassed } = cached.counters;
  const { buffers, evictions, dirtyBuffers } = cached.client.counters;
  const bios = [readHits, readMisses, writeHits, writeMisses, bypassed];
  const blocks = `${String(buffers)}/${String(cached.client.maximumBuffers)}`;
  return [cached.blockBytes, blocks, ...bios, evictions, dirtyBuffers, mode].join(" ");
}
