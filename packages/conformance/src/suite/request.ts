import { Bio, BioFlag, BioOp, createVecs, opName, SECTOR_BYTES, type Sectors } from "@blkstack/bio";
import type { BlockDevice } from "@blkstack/block";
import type { Scheduler } from "@blkstack/task";
import type { SentBio } from "../sent-bio.ts";
import { writeContent } from "./content.ts";

/** One bio that the suite sends; its sectors are counted from where the line begins. */
export interface Request {
  readonly op: BioOp;
  readonly sector: Sectors;
  readonly sectors: Sectors;
  readonly flags?: number;
  /** How many pieces its memory is in. Default: 1. */
  readonly pieces?: number;
}

/** A bio for a request, and what it writes. */
export interface RequestBio extends SentBio {
  /** What its memory held when it was sent. */
  readonly before: Uint8Array;
}

/** Neither zeroes nor what is ever written: shows what a read has not touched. */
const UNTOUCHED = 0xee;

/** Pieces end inside a sector, as memory of programs does. */
const FIRST_PIECE_BYTES = 200;

export function flushRequest(): Request {
  return { op: BioOp.Write, sector: 0, sectors: 0, flags: BioFlag.Preflush };
}

/** Makes the bio of a request. `serial` is that of what it writes; `begin`, where the line begins. */
export function bioForRequest(
  { op, sector, sectors, flags = 0, pieces = 1 }: Request,
  serial: number,
  { device, scheduler, begin }: { device: BlockDevice; scheduler: Scheduler; begin: Sectors },
): RequestBio {
  const bytes =
    op === BioOp.Write
      ? writeContent(serial, sectors)
      : new Uint8Array(sectors * SECTOR_BYTES).fill(op === BioOp.Read ? UNTOUCHED : 0);
  const bio = new Bio();
  bio.device = device;
  bio.op = op;
  bio.flags = flags;
  // An empty flush is of no place.
  bio.sector = sectors === 0 ? 0 : begin + sector;
  if (op === BioOp.Read || op === BioOp.Write) addMemory(bio, bytes, pieces);
  else bio.sizeBytes = bytes.length;
  const sent: RequestBio = {
    bio,
    bytes,
    before: bytes.slice(),
    status: null,
    ends: 0,
    endedMs: NaN,
  };
  bio.endIo = ({ status }) => {
    sent.status = status;
    sent.ends += 1;
    sent.endedMs = scheduler.clock.nowMs();
  };
  return sent;
}

/** Each piece is a page of its own. */
function addMemory(bio: Bio, bytes: Uint8Array, pieces: number): void {
  bio.vecs = createVecs(pieces);
  bio.vecMax = pieces;
  let at = 0;
  for (let index = 0; index < pieces && at < bytes.length; index += 1) {
    const isLast = index === pieces - 1;
    const end = isLast ? bytes.length : Math.min(bytes.length, at + FIRST_PIECE_BYTES);
    bio.addPage({ bytes: bytes.subarray(at, end), frame: 0 }, end - at, 0);
    at = end;
  }
}

/** `WRITE 3+2 FUA`, counted from the begin of the line. */
export function requestText({ op, sector, sectors, flags = 0 }: Request): string {
  const words = [
    sectors === 0 ? "flush" : `${opName(op)} ${String(sector)}+${String(sectors)}`,
    sectors > 0 && (flags & BioFlag.Preflush) !== 0 ? "PREFLUSH" : "",
    (flags & BioFlag.Fua) === 0 ? "" : "FUA",
    (flags & BioFlag.ReadAhead) === 0 ? "" : "READAHEAD",
    (flags & BioFlag.NoWait) === 0 ? "" : "NOWAIT",
  ];
  return words.filter((word) => word !== "").join(" ");
}
