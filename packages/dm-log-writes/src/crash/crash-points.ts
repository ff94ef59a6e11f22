import type { LogMark } from "../inspect-log.ts";
import { END_MARK, LogFlag } from "../log-format.ts";
import type { LoggedEntry, LogReader } from "../log-reader.ts";
import { type LooseWrite, wholeWrite, withoutOverwritten } from "./loose-write.ts";

/**
 * A stretch of a log in which nothing became durable, and what a power cut in it can leave: what was
 * durable, and of the loose writes any.
 */
export interface CrashPoint {
  /** The entry that was the last to become durable, or to make others so; 0: none had. */
  readonly afterEntry: number;
  /** What became durable since the point before, in the order in which it is to be written. */
  readonly settled: readonly LooseWrite[];
  /** Written, or under way, and not durable; in the order of the log. */
  readonly loose: readonly LooseWrite[];
  /** A write under way with a flush of its own before it: if any of it is there, all the loose are. */
  readonly behindFlush: LooseWrite | null;
  /** With nothing lost, the disk is as it is at the next point with everything lost. */
  readonly endsAsNextBegins: boolean;
  /** The last mark before the end of the stretch: what had been promised by then. */
  readonly mark: LogMark | null;
}

export interface CrashPointOptions {
  /** As on a disk that acknowledges flushes and FUA and does nothing for them. Default: false. */
  readonly ignoreFlushes?: boolean;
}

/**
 * The points of a log at which the power may be cut, first to last. A write is loose from where it
 * stands in the log to the next flush. What had been sent but stands behind the next flush or FUA is
 * not taken for loose before it: the log does not say when it was sent.
 *
 * Throws a LogError. Waits: for the source of the log.
 */
export async function* crashPoints(
  log: LogReader,
  { ignoreFlushes = false }: CrashPointOptions = {},
): AsyncGenerator<CrashPoint, void, undefined> {
  let afterEntry = 0;
  let settled: LooseWrite[] = [];
  let loose: LooseWrite[] = [];
  let mark: LogMark | null = null;
  for await (const entry of log.entries()) {
    if (entry.mark !== null) {
      if (entry.mark !== END_MARK) mark = { text: entry.mark, number: entry.number };
      continue;
    }
    const { isFlush, isFua } = kindOf(entry);
    const write = entry.sectors > 0 ? wholeWrite(entry) : null;
    if (!isFlush && !isFua) {
      if (write !== null) loose.push(write);
      continue;
    }
    const inFlight = write === null ? [] : [write];
    const isDurable = isFua || write === null;
    yield {
      afterEntry,
      settled,
      loose: isFlush ? [...loose] : [...loose, ...inFlight],
      behindFlush: isFlush ? write : null,
      endsAsNextBegins: !ignoreFlushes && isDurable && (isFlush || loose.length === 0),
      mark,
    };
    afterEntry = entry.number;
    settled = [];
    if (ignoreFlushes) {
      loose.push(...inFlight);
      continue;
    }
    if (isFlush) [settled, loose] = [loose, []];
    if (write === null) continue;
    if (!isFua) {
      loose.push(write);
      continue;
    }
    settled.push(write);
    loose = withoutOverwritten(loose, write);
  }
  const rest = { loose, behindFlush: null, endsAsNextBegins: false };
  yield { afterEntry, settled, ...rest, mark };
}

function kindOf({ flags }: LoggedEntry): { isFlush: boolean; isFua: boolean } {
  return { isFlush: (flags & LogFlag.Flush) !== 0, isFua: (flags & LogFlag.Fua) !== 0 };
}
