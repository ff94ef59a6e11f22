import { BlockError } from "@blkstack/block";
import type { Snapshot } from "./snapshot.ts";

/**
 * Answers a message: `stats` tells what the snapshot has done, `warn PERCENT` how full the store may
 * get before an event says so. Throws a BlockError (EINVAL) for others.
 */
export function messageOf(snapshot: Snapshot, words: readonly string[]): string {
  const [word = "", percent = "", ...more] = words;
  if (word === "stats" && words.length === 1) return statsOf(snapshot);
  if (word === "warn" && more.length === 0 && /^\d{1,2}$|^100$/.test(percent)) {
    snapshot.warning.percent = Number(percent);
    return "";
  }
  const said = words.join(" ");
  throw new BlockError(
    "BLK_STATE",
    "EINVAL",
    `a snapshot takes the messages "stats" and "warn PERCENT", not "${said}"`,
  );
}

/** `copies 3 redirected_reads 10 …`: pairs of a name and a number. */
function statsOf({ counters, tracked, pending, chunkSectors }: Snapshot): string {
  const copied = counters.copies * chunkSectors;
  const written = counters.writtenSectors;
  const amplification = written === 0 ? 0 : (copied + written) / written;
  return [
    `copies ${String(counters.copies)}`,
    `whole_chunk_writes ${String(counters.wholeChunkWrites)}`,
    `redirected_reads ${String(counters.redirectedReads)}`,
    `written_sectors ${String(written)}`,
    `write_amplification ${amplification.toFixed(2)}`,
    `pending ${String(pending.count)}`,
    `tracked ${String(tracked.count)}`,
  ].join(" ");
}
