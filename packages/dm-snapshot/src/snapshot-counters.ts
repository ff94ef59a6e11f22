/** What a snapshot has done since it was set up. */
export class SnapshotCounters {
  /** Chunks copied from the origin. */
  copies = 0;
  /** Reads that the store has answered, for the origin has other data by now. */
  redirectedReads = 0;
  /** Sectors that were written to the snapshot and to the origin on its account. */
  writtenSectors = 0;
  /** Whole chunks written to the store without a copy. */
  wholeChunkWrites = 0;
}
