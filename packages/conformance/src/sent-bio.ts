import {
  Bio,
  BioFlag,
  BioOp,
  type BioStatus,
  createVecs,
  SECTOR_BYTES,
  type Sectors,
} from "@blkstack/bio";
import type { BlockDevice } from "@blkstack/block";
import type { Scheduler } from "@blkstack/task";

export interface Range {
  readonly sector: Sectors;
  readonly sectors: Sectors;
}

/** One bio of a test, and what became of it. */
export interface SentBio {
  readonly bio: Bio;
  /** What it writes, or what was read into it. */
  readonly bytes: Uint8Array;
  /** Null: it is still under way. */
  status: BioStatus | null;
  /** How often it ended; 1 is right. */
  ends: number;
  /** When it ended, in ms of the scheduler's clock. */
  endedMs: number;
}

export interface BioContents {
  /** What each byte is before. */
  readonly byte?: number;
  readonly flags?: number;
}

/** Neither zero nor what tests write: shows what a read has not touched. */
const UNTOUCHED = 0xee;

/** Where a bio goes, and whose clock tells when it ended. */
export interface Destination {
  readonly device: BlockDevice;
  readonly scheduler: Scheduler;
}

/** A bio that is not sent yet. A write of no sectors is a flush. */
export function bioFor(
  { device, scheduler }: Destination,
  op: BioOp,
  { sector, sectors }: Range,
  { byte = UNTOUCHED, flags = 0 }: BioContents = {},
): SentBio {
  const bytes = new Uint8Array(sectors * SECTOR_BYTES).fill(byte);
  const bio = new Bio();
  bio.device = device;
  bio.op = op;
  bio.flags = flags;
  bio.sector = sector;
  if (op !== BioOp.Read && op !== BioOp.Write) {
    bio.sizeBytes = bytes.length;
  } else if (sectors > 0) {
    bio.vecs = createVecs(1);
    bio.vecMax = 1;
    bio.addPage({ bytes, frame: 0 }, bytes.length, 0);
  } else {
    bio.flags |= BioFlag.Preflush;
  }
  const sent: SentBio = { bio, bytes, status: null, ends: 0, endedMs: NaN };
  bio.endIo = ({ status }) => {
    sent.status = status;
    sent.ends += 1;
    sent.endedMs = scheduler.clock.nowMs();
  };
  return sent;
}

/** The first byte of each sector. */
export function firstBytes(bytes: Uint8Array): number[] {
  const count = bytes.length / SECTOR_BYTES;
  return Array.from({ length: count }, (_, index) => bytes[index * SECTOR_BYTES] ?? NaN);
}
