import { type Bio, bioEndio, BioFlag, BioOp, BioStatus, type EndIo } from "@blkstack/bio";
import { IoKind, IoStats } from "./io-stats.ts";
import type { Moment } from "./moment.ts";

// Constants of this module are part of the machine code; what is imported is looked up each time.
const OK = BioStatus.Ok;
const KIND_READ = IoKind.Read;
const KIND_WRITE = IoKind.Write;

/**
 * Counts the bios of one device, from the call of its driver to their end. A bio that a device has
 * cut, or kept while it was suspended, comes by again and is counted once.
 *
 * It takes the place of who is told of the end, and hands the end on: so nothing is asked of drivers,
 * and bios have no more fields. What it remembers of each is kept for the next one.
 */
export class BioAccount {
  readonly stats: IoStats = new IoStats();
  readonly #moment: Moment;
  readonly #free: FreeList = { first: null };

  /** The devices of a stack share a moment; whoever submits says when it has passed. */
  constructor(moment: Moment) {
    this.#moment = moment;
  }

  /** The driver is about to be called. Waits: never. */
  begin(bio: Bio): void {
    const { stats } = this;
    if (bio.endIo === watchedEnded && (bio.private as Watched).stats === stats) return;
    const free = this.#free;
    let watched = free.first;
    if (watched === null) watched = new Watched(stats, this.#moment, free);
    else free.first = watched.nextFree;
    watched.endIo = bio.endIo;
    watched.private = bio.private;
    watched.kind = ioKindOf(bio);
    watched.bytes = bio.sizeBytes;
    watched.startMs[0] = this.#moment.beginMs();
    bio.endIo = watchedEnded;
    bio.private = watched;
    stats.inFlight += 1;
  }
}

/** Memory for bios to come. */
interface FreeList {
  first: Watched | null;
}

/** What is remembered of a bio while its device has it. */
class Watched {
  readonly stats: IoStats;
  readonly moment: Moment;
  readonly free: FreeList;
  endIo: EndIo | null = null;
  private: unknown = null;
  kind: IoKind = IoKind.Other;
  bytes = 0;
  /** In an array, for a field would be a new number on the heap each time. */
  readonly startMs: Float64Array = new Float64Array(1);
  nextFree: Watched | null = null;

  constructor(stats: IoStats, moment: Moment, free: FreeList) {
    this.stats = stats;
    this.moment = moment;
    this.free = free;
  }
}

/** Interrupt context. */
function watchedEnded(bio: Bio): void {
  const watched = bio.private as Watched;
  const { stats, free, moment } = watched;
  bio.endIo = watched.endIo;
  bio.private = watched.private;
  stats.inFlight -= 1;
  const startMs = watched.startMs[0] ?? 0;
  const nowMs = moment.endMs(startMs);
  if (bio.status === OK) stats.count(watched.kind, watched.bytes, startMs, nowMs);
  else stats.countError(watched.kind, startMs, nowMs);
  watched.endIo = null;
  watched.private = null;
  watched.nextFree = free.first;
  free.first = watched;
  // What was done for this end took its time.
  moment.pass();
  const isFirst = !moment.isEnding;
  moment.isEnding = true;
  // Not `bio.endIo`: only this knows what is to be done for a bio that is part of another one.
  bioEndio(bio);
  if (isFirst) moment.isEnding = false;
}

/** What a bio counts as. A flush that brings data is a write. */
export function ioKindOf({ op, flags, sizeBytes }: Bio): IoKind {
  if (op === BioOp.Read) return KIND_READ;
  if (op === BioOp.Write) {
    const isFlush = sizeBytes === 0 && (flags & BioFlag.Preflush) !== 0;
    return isFlush ? IoKind.Flush : KIND_WRITE;
  }
  if (op === BioOp.Flush) return IoKind.Flush;
  if (op === BioOp.Discard || op === BioOp.SecureErase) return IoKind.Discard;
  if (op === BioOp.WriteZeroes) return IoKind.Zero;
  return IoKind.Other;
}
