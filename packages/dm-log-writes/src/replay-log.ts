import { type Bytes, SECTOR_BYTES, type Sectors } from "@blkstack/bio";
import type { Awaitable } from "@blkstack/task";
import { LogError } from "./log-error.ts";
import { LogFlag } from "./log-format.ts";
import { type LoggedEntry, LogReader, type LogSource } from "./log-reader.ts";

/** What a log is replayed to: as it was when the log began. */
export interface ReplayTarget {
  readonly sizeSectors: Sectors;
  /** False: it could not. `bytes` may be used again afterwards. */
  write(sector: Sectors, bytes: Uint8Array): Awaitable<boolean>;
  /** Zeroes a range, as a discard may. False: it could not. */
  discard(sector: Sectors, sectors: Sectors): Awaitable<boolean>;
}

export interface ReplayOptions {
  /**
   * How far: up to the mark of this text, the first of them, or so many entries from the beginning.
   * All of them, unless told.
   */
  readonly to?: string | number;
}

/** What was replayed. */
export interface Replayed {
  readonly entries: number;
  readonly writes: number;
  readonly discards: number;
  readonly dataBytes: Bytes;
}

/** Data is moved in pieces of so many bytes. */
const PIECE_BYTES = 1 << 20;

/**
 * Does again what was logged, in the order of the log. Everything up to the end of the replay is
 * checked before anything is written.
 *
 * Throws a LogError: for a log that cannot be read so far, `not-there`, `beyond-target`, and, when
 * some of it was done already, `unwritable`. Waits: for both ends.
 */
export async function replayLog(
  source: LogSource,
  target: ReplayTarget,
  { to }: ReplayOptions = {},
): Promise<Replayed> {
  const reader = await LogReader.open(source);
  const entries = await checkedCount(reader, target, to);
  const done = { entries: 0, writes: 0, discards: 0, dataBytes: 0 };
  const piece = new Uint8Array(PIECE_BYTES);
  for await (const entry of reader.entries()) {
    if (done.entries === entries) break;
    done.entries += 1;
    if (entry.sectors === 0) continue;
    if ((entry.flags & LogFlag.Discard) !== 0) {
      await discard(entry, target);
      done.discards += 1;
    } else {
      await write(entry, { reader, target, piece });
      done.writes += 1;
      done.dataBytes += entry.dataBytes;
    }
  }
  return done;
}

/** How many entries are to be replayed, all of which can be. */
async function checkedCount(
  reader: LogReader,
  target: ReplayTarget,
  to: string | number | undefined,
): Promise<number> {
  let count = 0;
  if (to === 0) return count;
  for await (const entry of reader.entries()) {
    const { number, sector, sectors, mark } = entry;
    if (sector + sectors > target.sizeSectors && sectors > 0) {
      const range = `sectors ${String(sector)}+${String(sectors)}`;
      const text = `entry ${String(number)} is for ${range} of ${String(target.sizeSectors)}`;
      throw new LogError("beyond-target", text);
    }
    count = number;
    if (to === number || (mark !== null && to === mark)) return count;
  }
  if (to === undefined) return count;
  const what = typeof to === "string" ? `no mark "${to}"` : `no entry ${String(to)}`;
  throw new LogError("not-there", `the log has ${what} among its ${String(count)} entries`);
}

async function write(
  entry: LoggedEntry,
  { reader, target, piece }: { reader: LogReader; target: ReplayTarget; piece: Uint8Array },
): Promise<void> {
  for (let done = 0; done < entry.dataBytes; done += piece.length) {
    const bytes = piece.subarray(0, Math.min(piece.length, entry.dataBytes - done));
    await reader.readData(entry, done, bytes);
    if (await target.write(entry.sector + done / SECTOR_BYTES, bytes)) continue;
    throw new LogError("unwritable", `entry ${String(entry.number)} could not be written`);
  }
}

async function discard(entry: LoggedEntry, target: ReplayTarget): Promise<void> {
  if (await target.discard(entry.sector, entry.sectors)) return;
  throw new LogError("unwritable", `entry ${String(entry.number)} could not be discarded`);
}
