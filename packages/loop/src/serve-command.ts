import {
  type Bio,
  BioFlag,
  BioOp,
  BioStatus,
  bioViews,
  type Bytes,
  isDataless,
  SECTOR_BYTES,
} from "@blkstack/bio";
import { type Awaitable, isPending, type Task } from "@blkstack/task";
import { type BackingFile, EOPNOTSUPP } from "./backing-file.ts";

/** Where the sectors of a loop device lie. */
export interface Place {
  readonly file: BackingFile;
  readonly offsetBytes: Bytes;
}

// Constants of this module are part of the machine code; what is imported is looked up each time.
const OK = BioStatus.Ok;
const IO_ERROR = BioStatus.IoError;
const READ = BioOp.Read;
const FLUSHES = BioFlag.Preflush | BioFlag.Fua;

/**
 * Does what a bio asks, with the file; answers how it went. Every error of the file is an I/O error
 * of the device, but for a range that cannot be punched or zeroed.
 *
 * Waits: as the file does.
 */
export function serveCommand(bio: Bio, place: Place, task: Task): Awaitable<BioStatus> {
  if (bio.op === BioOp.Flush || (bio.flags & FLUSHES) !== 0) return serveFlushing(bio, place, task);
  return serveData(bio, place, task);
}

/** With a sync before the data, after it, or without any data. */
async function serveFlushing(bio: Bio, place: Place, task: Task): Promise<BioStatus> {
  if (bio.op === BioOp.Flush || (bio.flags & BioFlag.Preflush) !== 0) {
    if ((await place.file.sync(task)) < 0) return IO_ERROR;
  }
  if (bio.sizeBytes === 0) return OK;
  const status = await serveData(bio, place, task);
  if (status !== OK || (bio.flags & BioFlag.Fua) === 0 || bio.op === READ) return status;
  return (await place.file.sync(task)) < 0 ? IO_ERROR : OK;
}

function serveData(bio: Bio, place: Place, task: Task): Awaitable<BioStatus> {
  return isDataless(bio.op) ? serveRange(bio, place, task) : move(bio, 0, place, task);
}

/** A file may move less than it is asked; the rest is asked for again. */
function move(bio: Bio, fromBytes: Bytes, place: Place, task: Task): Awaitable<BioStatus> {
  const { file } = place;
  const startBytes = place.offsetBytes + bio.sector * SECTOR_BYTES;
  let doneBytes = fromBytes;
  while (doneBytes < bio.sizeBytes) {
    const views = bioViews(bio, doneBytes);
    const offsetBytes = startBytes + doneBytes;
    const moved =
      bio.op === READ ? file.read(views, offsetBytes, task) : file.write(views, offsetBytes, task);
    if (isPending(moved)) {
      const before = doneBytes;
      return moved.then((count) =>
        count > 0 ? move(bio, before + count, place, task) : stopped(bio, before, count),
      );
    }
    if (moved <= 0) return stopped(bio, doneBytes, moved);
    doneBytes += moved;
  }
  return OK;
}

/** Whoever reads behind the end of the file must not take old memory for data. */
function stopped(bio: Bio, doneBytes: Bytes, moved: number): BioStatus {
  if (bio.op === READ && moved === 0) for (const view of bioViews(bio, doneBytes)) view.fill(0);
  return IO_ERROR;
}

function serveRange(bio: Bio, { file, offsetBytes }: Place, task: Task): Awaitable<BioStatus> {
  const start = offsetBytes + bio.sector * SECTOR_BYTES;
  const range = { offsetBytes: start, lengthBytes: bio.sizeBytes };
  let outcome: Awaitable<number> = EOPNOTSUPP;
  if (bio.op === BioOp.Discard) outcome = file.punchHole?.(range, task) ?? EOPNOTSUPP;
  else if (bio.op === BioOp.WriteZeroes) {
    const mayFree = (bio.flags & BioFlag.NoUnmap) === 0;
    outcome = file.zeroRange?.(range, mayFree, task) ?? EOPNOTSUPP;
  }
  return isPending(outcome) ? outcome.then(statusOfRange) : statusOfRange(outcome);
}

function statusOfRange(outcome: number): BioStatus {
  if (outcome === EOPNOTSUPP) return BioStatus.NotSupported;
  return outcome < 0 ? IO_ERROR : OK;
}
