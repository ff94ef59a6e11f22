import {
  type Bio,
  BioFlag,
  BioOp,
  BioStatus,
  type Bytes,
  type Page,
  PAGE_BYTES,
  SECTOR_BYTES,
} from "@blkstack/bio";
import { GFP_NOIO } from "@blkstack/memory";
import { submitAndWait } from "@blkstack/make-request";
import type { Task } from "@blkstack/task";
import type { ExportBackend } from "./export-backend.ts";
import { replyErrorOf } from "./reply-error.ts";
import type { Request } from "./request.ts";
import { letOthersRun, STEP_BYTES_MAX } from "./step-size.ts";
import { Command, CommandFlag, ReplyError } from "./wire.ts";

/** Memory of zeroes that a device without WRITE_ZEROES is written with, again and again. */
const ZERO_BYTES = 64 * 1024;
/** How often one bio points at it. */
const ZERO_VECS = 16;

/**
 * Serves a change that one bio cannot express: it begins or ends inside a block, is longer than a
 * bio can be, its zeroes must be written, or a flush must follow it. One of its bios is under way
 * at a time, and a client that has gone gets no more than that.
 *
 * Waits: for its turn among overlapping changes, for memory and for its bios.
 */
export async function serveInSteps(
  request: Request,
  backend: ExportBackend,
  task: Task,
): Promise<void> {
  await backend.gate.enter(request, task);
  const steps = new Steps(request, backend, task);
  let status = await steps.serve();
  if (status === BioStatus.Ok && needsFlush(request)) status = await steps.flush();
  backend.gate.leave(request);
  request.end(status === BioStatus.Ok ? ReplyError.Ok : replyErrorOf(status));
}

/** A write carries its FUA itself; the other changes are flushed behind. */
function needsFlush({ command, flags }: Request): boolean {
  return command !== Command.Write && (flags & CommandFlag.Fua) !== 0;
}

class Steps {
  readonly #request: Request;
  readonly #backend: ExportBackend;
  readonly #task: Task;

  constructor(request: Request, backend: ExportBackend, task: Task) {
    this.#request = request;
    this.#backend = backend;
    this.#task = task;
  }

  async serve(): Promise<BioStatus> {
    const { command, page } = this.#request;
    if (command === Command.Trim) return this.#trim();
    if (command === Command.Write && page !== null) return this.#write(page);
    return this.#writeZeroes();
  }

  async flush(): Promise<BioStatus> {
    const bio = await this.#bio(BioOp.Write, 0, 0);
    bio.flags = BioFlag.Preflush;
    return this.#wait(bio);
  }

  /** Reads what the payload leaves of its first and last block, then writes whole blocks. */
  async #write(page: Page): Promise<BioStatus> {
    const { beginBytes, endBytes, skipBytes, lengthBytes, flags } = this.#request;
    const { blockBytes } = this.#backend;
    const spanBytes = endBytes - beginBytes;
    const scratch: Place = { page, offset: scratchOffset(spanBytes) };
    const payloadEnd = skipBytes + lengthBytes;
    const headEnd = Math.min(blockBytes, spanBytes);
    if (skipBytes > 0) {
      const status = await this.#readBlock(beginBytes, scratch);
      if (status !== BioStatus.Ok) return status;
      copyWithin(page, scratch.offset, { begin: 0, end: skipBytes });
      if (payloadEnd < headEnd) {
        copyWithin(page, scratch.offset + payloadEnd, { begin: payloadEnd, end: headEnd });
      }
    }
    const tailBytes = payloadEnd % blockBytes;
    if (payloadEnd < spanBytes && !(skipBytes > 0 && payloadEnd < headEnd)) {
      const blockAt = payloadEnd - tailBytes;
      const status = await this.#readBlock(beginBytes + blockAt, scratch);
      if (status !== BioStatus.Ok) return status;
      copyWithin(page, scratch.offset + tailBytes, { begin: payloadEnd, end: spanBytes });
    }
    const bio = await this.#bio(BioOp.Write, beginBytes, 1);
    if ((flags & CommandFlag.Fua) !== 0) bio.flags = BioFlag.Fua;
    bio.addPage(page, spanBytes, 0);
    return this.#wait(bio);
  }

  /** Only whole blocks can be given up; a trim asks for no more than that. */
  async #trim(): Promise<BioStatus> {
    const { offsetBytes, lengthBytes } = this.#request;
    const { blockBytes } = this.#backend;
    const begin = Math.ceil(offsetBytes / blockBytes) * blockBytes;
    const end = Math.floor((offsetBytes + lengthBytes) / blockBytes) * blockBytes;
    for (let at = begin; at < end; at += STEP_BYTES_MAX) {
      if (at > begin && !(await this.#mayGoOn())) return BioStatus.IoError;
      const bio = await this.#bio(BioOp.Discard, at, 0);
      bio.sizeBytes = Math.min(STEP_BYTES_MAX, end - at);
      const status = await this.#wait(bio);
      if (status === BioStatus.NotSupported) return BioStatus.Ok;
      if (status !== BioStatus.Ok) return status;
    }
    return BioStatus.Ok;
  }

  async #writeZeroes(): Promise<BioStatus> {
    const { blockBytes, pages } = this.#backend;
    const pageCount = Math.max(ZERO_BYTES, blockBytes) / PAGE_BYTES;
    const page = await pages.alloc(GFP_NOIO, this.#task, pageCount);
    if (page === null) return BioStatus.Resource;
    try {
      return await this.#zeroAll(page);
    } finally {
      pages.free(page);
    }
  }

  async #zeroAll(page: Page): Promise<BioStatus> {
    const { blockBytes } = this.#backend;
    const { offsetBytes, lengthBytes } = this.#request;
    const end = offsetBytes + lengthBytes;
    let at = offsetBytes;
    while (at < end) {
      const within = at % blockBytes;
      const wholeEnd = end - (end % blockBytes);
      const isWhole = within === 0 && at < wholeEnd;
      const next = isWhole ? wholeEnd : Math.min(end, at - within + blockBytes);
      const status = isWhole
        ? await this.#zeroBlocks(at, next, page)
        : await this.#zeroInside(at, next, page);
      if (status !== BioStatus.Ok) return status;
      at = next;
    }
    return BioStatus.Ok;
  }

  /** Zeroes a part of one block. */
  async #zeroInside(begin: Bytes, end: Bytes, page: Page): Promise<BioStatus> {
    const { blockBytes, sizeBytes } = this.#backend;
    const blockAt = begin - (begin % blockBytes);
    const status = await this.#readBlock(blockAt, { page, offset: 0 });
    if (status !== BioStatus.Ok) return status;
    page.bytes.fill(0, begin - blockAt, end - blockAt);
    const bio = await this.#bio(BioOp.Write, blockAt, 1);
    bio.addPage(page, Math.min(blockBytes, sizeBytes - blockAt), 0);
    return this.#wait(bio);
  }

  async #zeroBlocks(begin: Bytes, end: Bytes, page: Page): Promise<BioStatus> {
    let at = begin;
    if (this.#backend.device.queue.limits.maxWriteZeroesSectors > 0) {
      for (; at < end; at += STEP_BYTES_MAX) {
        if (at > begin && !(await this.#mayGoOn())) return BioStatus.IoError;
        const bio = await this.#bio(BioOp.WriteZeroes, at, 0);
        bio.sizeBytes = Math.min(STEP_BYTES_MAX, end - at);
        if ((this.#request.flags & CommandFlag.NoHole) !== 0) bio.flags = BioFlag.NoUnmap;
        const status = await this.#wait(bio);
        if (status === BioStatus.NotSupported) break;
        if (status !== BioStatus.Ok) return status;
      }
    }
    if (at < end) page.bytes.fill(0);
    while (at < end) {
      if (at > begin && !(await this.#mayGoOn())) return BioStatus.IoError;
      const bio = await this.#bio(BioOp.Write, at, ZERO_VECS);
      for (let vec = 0; vec < ZERO_VECS && at < end; vec += 1) {
        at += bio.addPage(page, Math.min(page.bytes.length, end - at), 0);
      }
      const status = await this.#wait(bio);
      if (status !== BioStatus.Ok) return status;
    }
    return BioStatus.Ok;
  }

  /** Between two steps. Answers false when nobody waits for the outcome any more. */
  async #mayGoOn(): Promise<boolean> {
    await letOthersRun();
    return !this.#request.owner.isGone;
  }

  async #readBlock(blockAt: Bytes, { page, offset }: Place): Promise<BioStatus> {
    const { blockBytes, sizeBytes } = this.#backend;
    const bio = await this.#bio(BioOp.Read, blockAt, 1);
    bio.addPage(page, Math.min(blockBytes, sizeBytes - blockAt), offset);
    return this.#wait(bio);
  }

  async #bio(op: BioOp, offsetBytes: Bytes, vecMax: number): Promise<Bio> {
    const bio = await this.#backend.allocBio(vecMax, this.#task);
    bio.device = this.#backend.device;
    bio.op = op;
    bio.sector = offsetBytes / SECTOR_BYTES;
    return bio;
  }

  async #wait(bio: Bio): Promise<BioStatus> {
    const status = await submitAndWait(this.#backend.submitter, bio, this.#task);
    bio.put();
    return status;
  }
}

interface Place {
  readonly page: Page;
  readonly offset: Bytes;
}

/** Behind the blocks of an unaligned write its memory has room for one more, to read into. */
export function scratchOffset(spanBytes: Bytes): Bytes {
  return Math.ceil(spanBytes / PAGE_BYTES) * PAGE_BYTES;
}

function copyWithin(page: Page, from: Bytes, to: { begin: Bytes; end: Bytes }): void {
  page.bytes.copyWithin(to.begin, from, from + to.end - to.begin);
}
