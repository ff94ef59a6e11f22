import type { Bytes, Sectors } from "@blkstack/bio";
import { LogError, type LogProblem } from "./log-error.ts";
import { END_MARK, LogFlag } from "./log-format.ts";
import { type LoggedEntry, LogReader, type LogSource } from "./log-reader.ts";

export interface LogMark {
  readonly text: string;
  /** Which entry it is, counted from 1. */
  readonly number: number;
}

/** What a log holds. */
export interface LogReport {
  /** 0: it is no log. */
  readonly blockBytes: Bytes;
  /** How many entries it claims to have, and how many can be read. */
  readonly claimedEntries: bigint;
  readonly entries: number;
  readonly writes: number;
  readonly discards: number;
  readonly flushes: number;
  /** Writes, and flushes, with FUA. */
  readonly fuas: number;
  /** The first of them, up to 1000; `markCount` counts all. */
  readonly marks: readonly LogMark[];
  readonly markCount: number;
  readonly dataBytes: Bytes;
  /** Where the log ends. */
  readonly usedBytes: Bytes;
  /** A disk that it is to be replayed to needs so many. */
  readonly deviceSectors: Sectors;
  /** Whether the device was removed in good order: then nothing is missing behind the end. */
  readonly isEnded: boolean;
  /** Why not all of it can be read; null: all can. */
  readonly problem: { readonly kind: LogProblem; readonly message: string } | null;
}

const MARKS_MAX = 1000;

/** Reads all of a log. Never throws for what it finds. Waits: for the source. */
export async function inspectLog(source: LogSource): Promise<LogReport> {
  const tally = new Tally();
  try {
    const reader = await LogReader.open(source);
    tally.begin(reader);
    for await (const entry of reader.entries()) tally.add(entry);
    return tally.report(null);
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    return tally.report({ kind: error.problem, message: error.message });
  }
}

class Tally {
  readonly #counts = { entries: 0, writes: 0, discards: 0, flushes: 0, fuas: 0, markCount: 0 };
  readonly #marks: LogMark[] = [];
  #blockBytes: Bytes = 0;
  #claimedEntries = 0n;
  #dataBytes: Bytes = 0;
  #usedBytes: Bytes = 0;
  #deviceSectors: Sectors = 0;
  #lastMark: string | null = null;

  begin({ blockBytes, entryCount }: LogReader): void {
    this.#blockBytes = blockBytes;
    this.#claimedEntries = entryCount;
    this.#usedBytes = blockBytes;
  }

  add(entry: LoggedEntry): void {
    const counts = this.#counts;
    const { flags, mark, dataAtBytes, dataBytes, sector, sectors, number } = entry;
    counts.entries += 1;
    if ((flags & LogFlag.Flush) !== 0) counts.flushes += 1;
    if ((flags & LogFlag.Fua) !== 0) counts.fuas += 1;
    if ((flags & LogFlag.Discard) !== 0) counts.discards += 1;
    else if (dataBytes > 0) counts.writes += 1;
    if (mark !== null) {
      counts.markCount += 1;
      if (this.#marks.length < MARKS_MAX) this.#marks.push({ text: mark, number });
    }
    this.#lastMark = mark;
    this.#dataBytes += dataBytes;
    this.#usedBytes = dataAtBytes + dataBytes;
    if (sectors > 0) this.#deviceSectors = Math.max(this.#deviceSectors, sector + sectors);
  }

  report(problem: LogReport["problem"]): LogReport {
    return {
      blockBytes: this.#blockBytes,
      claimedEntries: this.#claimedEntries,
      ...this.#counts,
      marks: this.#marks,
      dataBytes: this.#dataBytes,
      usedBytes: this.#usedBytes,
      deviceSectors: this.#deviceSectors,
      isEnded: problem === null && this.#lastMark === END_MARK,
      problem,
    };
  }
}
