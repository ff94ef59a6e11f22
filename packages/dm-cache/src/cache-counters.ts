/** What has become of the bios of one target. */
export class CacheCounters {
  readHits = 0;
  readMisses = 0;
  writeHits = 0;
  writeMisses = 0;
  /** Bios that went past the cache. */
  bypassed = 0;
}
