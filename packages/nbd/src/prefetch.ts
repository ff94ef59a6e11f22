import { BioOp, BioStatus, type Bytes, type Page, PAGE_BYTES, SECTOR_BYTES } from "@blkstack/bio";
import { GFP_NOIO } from "@blkstack/memory";
import { submitAndWait } from "@blkstack/make-request";
import type { Task } from "@blkstack/task";
import type { ExportBackend } from "./export-backend.ts";
import { replyErrorOf } from "./reply-error.ts";
import type { Request } from "./request.ts";
import { letOthersRun } from "./step-size.ts";
import { ReplyError } from "./wire.ts";

/** Read at a time, into memory that nobody looks at. */
const PIECE_BYTES: Bytes = 256 * 1024;
/** Of one request: a cache holds only so much, and reading ahead must not stand in the way of reads. */
const PREFETCH_BYTES_MAX: Bytes = 32 * 1024 * 1024;

/**
 * Serves a CACHE: reads the beginning of its range, so that what is below has it at hand.
 *
 * Waits: for memory and for its bios.
 */
export async function prefetch(
  request: Request,
  backend: ExportBackend,
  task: Task,
): Promise<void> {
  const page = await backend.pages.alloc(GFP_NOIO, task, PIECE_BYTES / PAGE_BYTES);
  if (page === null) {
    request.end(ReplyError.NoMemory);
    return;
  }
  let status: BioStatus;
  try {
    status = await readThrough(request, page, { backend, task });
  } finally {
    backend.pages.free(page);
  }
  request.end(replyErrorOf(status));
}

async function readThrough(
  { beginBytes, endBytes, owner }: Request,
  page: Page,
  { backend, task }: { backend: ExportBackend; task: Task },
): Promise<BioStatus> {
  const end = Math.min(endBytes, beginBytes + PREFETCH_BYTES_MAX);
  for (let at = beginBytes; at < end; at += PIECE_BYTES) {
    if (at > beginBytes) await letOthersRun();
    if (owner.isGone) return BioStatus.IoError;
    const bio = await backend.allocBio(1, task);
    bio.device = backend.device;
    bio.op = BioOp.Read;
    bio.sector = at / SECTOR_BYTES;
    bio.addPage(page, Math.min(PIECE_BYTES, end - at), 0);
    const status = await submitAndWait(backend.submitter, bio, task);
    bio.put();
    if (status !== BioStatus.Ok) return status;
  }
  return BioStatus.Ok;
}
