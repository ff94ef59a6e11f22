import { type Bytes, SECTOR_BYTES, type Sectors } from "@blkstack/bio";
import type { Awaitable } from "@blkstack/task";
import { LogError } from "../log-error.ts";
import type { LoggedEntry, LogReader } from "../log-reader.ts";
import type { ReplayTarget } from "../replay-log.ts";
import type { CrashPoint } from "./crash-points.ts";
import type { CrashState } from "./crash-states.ts";
import { isDiscard, type LooseWrite, type SectorRange, withoutOverwritten } from "./loose-write.ts";

/** A disk to rebuild another one on. */
export interface CrashTarget extends ReplayTarget {
  /** Fills `into` with the bytes from `offsetBytes` on; false: it could not. */
  read(offsetBytes: Bytes, into: Uint8Array): Awaitable<boolean>;
}

interface Kept {
  readonly sector: Sectors;
  readonly bytes: Uint8Array;
}

/** Data is moved in pieces of so many sectors. */
const PIECE_SECTORS = 128;

/**
 * A disk as a power cut would leave it, at one point after the other. Going on to a later point
 * writes what became durable in between, and no more; what a state adds to that is taken back.
 */
export class CrashDisk {
  readonly #log: LogReader;
  readonly #target: CrashTarget;
  /** A piece as it is on the disk, and as it is in the log. */
  readonly #now = new Uint8Array(PIECE_SECTORS * SECTOR_BYTES);
  readonly #next = new Uint8Array(PIECE_SECTORS * SECTOR_BYTES);
  /** What was there before the state that is shown, as it was written over. */
  #kept: Kept[] = [];

  /** `target` is as the disk was when the log began. */
  constructor(log: LogReader, target: CrashTarget) {
    this.#log = log;
    this.#target = target;
  }

  /**
   * Goes on to the point that follows the one of before; the first follows the beginning. No state is
   * shown. Throws a LogError: `unwritable`, or for a log that has become unreadable. Waits: for both
   * ends.
   */
  async advance(point: CrashPoint): Promise<void> {
    await this.takeBack();
    for (const write of point.settled) await this.#write(write, false);
  }

  /**
   * Shows a state of the point that the disk is at, in place of the one shown before. Throws and
   * waits as `advance` does.
   */
  async show({ point, lost }: CrashState): Promise<void> {
    await this.takeBack();
    const { loose, behindFlush } = point;
    const written = behindFlush === null ? loose : [...loose, behindFlush];
    for (const write of survivors(written, lost)) await this.#write(write, true);
  }

  /** Shows only what is durable again. Throws and waits as `advance` does. */
  async takeBack(): Promise<void> {
    for (let kept = this.#kept.pop(); kept !== undefined; kept = this.#kept.pop()) {
      if (await this.#target.write(kept.sector, kept.bytes)) continue;
      throw new LogError("unwritable", `sector ${String(kept.sector)} could not be put back`);
    }
  }

  async #write(write: LooseWrite, isToBeTakenBack: boolean): Promise<void> {
    const { entry, ranges } = write;
    for (const piece of ranges.flatMap(piecesOf)) {
      const now = this.#now.subarray(0, piece.sectors * SECTOR_BYTES);
      const isDiscarded = isDiscard(write);
      if (isToBeTakenBack || isDiscarded) await this.#readTarget(piece, now);
      // Discards are long, of what is mostly empty: neither memory nor time is spent on that.
      if (isDiscarded && now.every((byte) => byte === 0)) continue;
      if (isToBeTakenBack) this.#kept.push({ sector: piece.sector, bytes: now.slice() });
      const isWritten = isDiscarded
        ? await this.#target.discard(piece.sector, piece.sectors)
        : await this.#copy(entry, piece);
      if (isWritten) continue;
      throw new LogError("unwritable", `entry ${String(entry.number)} could not be written`);
    }
  }

  async #readTarget({ sector }: SectorRange, into: Uint8Array): Promise<void> {
    if (await this.#target.read(sector * SECTOR_BYTES, into)) return;
    throw new LogError("unwritable", `sector ${String(sector)} of the disk could not be read`);
  }

  async #copy(entry: LoggedEntry, { sector, sectors }: SectorRange): Promise<boolean> {
    const bytes = this.#next.subarray(0, sectors * SECTOR_BYTES);
    await this.#log.readData(entry, (sector - entry.sector) * SECTOR_BYTES, bytes);
    return this.#target.write(sector, bytes);
  }
}

function piecesOf({ sector, sectors }: SectorRange): SectorRange[] {
  return Array.from({ length: Math.ceil(sectors / PIECE_SECTORS) }, (_, index) => {
    const done = index * PIECE_SECTORS;
    return { sector: sector + done, sectors: Math.min(PIECE_SECTORS, sectors - done) };
  });
}

/** What of the writes is not lost; they may be lost in parts. */
function survivors(
  written: readonly LooseWrite[],
  lost: readonly LooseWrite[],
): readonly LooseWrite[] {
  const lostOf = new Map<LooseWrite["entry"], SectorRange[]>();
  for (const { entry, ranges } of lost) {
    const before = lostOf.get(entry);
    if (before === undefined) lostOf.set(entry, [...ranges]);
    else before.push(...ranges);
  }
  return written.flatMap((write) => {
    const ranges = lostOf.get(write.entry);
    return ranges === undefined
      ? [write]
      : withoutOverwritten([write], { entry: write.entry, ranges });
  });
}
