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
import { BioSet } from "@blkstack/bio-set";
import type { BlockDevice, Submitter } from "@blkstack/block";
import { GFP_NOIO, type Memory } from "@blkstack/memory";
import { type Awaitable, isPending, type Scheduler, type Task } from "@blkstack/task";
import { isReadOnlyExport, type NbdExport } from "./export.ts";
import type { PayloadPages } from "./payload-pages.ts";
import { prefetch } from "./prefetch.ts";
import { RangeGate } from "./range-gate.ts";
import { replyErrorOf } from "./reply-error.ts";
import type { Request } from "./request.ts";
import { STEP_BYTES_MAX } from "./step-size.ts";
import { scratchOffset, serveInSteps } from "./stepwise.ts";
import { Command, CommandFlag, ReplyError } from "./wire.ts";

/** What all exports of a server share. */
export interface BackendContext {
  readonly scheduler: Scheduler;
  readonly submitter: Submitter;
  readonly memory: Memory;
  readonly pages: PayloadPages;
}

/** Bios that an export can always have, memory or not. */
const BIO_RESERVE = 16;

/** The bios of one export: to be made while there is memory for their reserve. */
export function exportBios(
  { name }: NbdExport,
  { scheduler, memory }: { readonly scheduler: Scheduler; readonly memory: Memory },
): BioSet {
  const set = { name: `nbd "${name}"`, scheduler, memory, poolSize: BIO_RESERVE };
  return new BioSet({ ...set, needBvecs: true });
}

/** One export at work: turns requests into bios. Made when the first client chooses the export. */
export class ExportBackend {
  readonly label: string;
  readonly device: BlockDevice;
  readonly isReadOnly: boolean;
  readonly pages: PayloadPages;
  readonly submitter: Submitter;
  readonly scheduler: Scheduler;
  readonly gate: RangeGate;
  readonly #bios: BioSet;

  constructor(entry: NbdExport, bios: BioSet, context: BackendContext) {
    this.label = `nbd "${entry.name}"`;
    this.device = entry.device;
    this.isReadOnly = isReadOnlyExport(entry);
    this.pages = context.pages;
    this.submitter = context.submitter;
    this.scheduler = context.scheduler;
    this.gate = new RangeGate(`writes of ${this.label}`);
    this.#bios = bios;
  }

  get blockBytes(): Bytes {
    return this.device.queue.limits.logicalBlockBytes;
  }

  get sizeBytes(): Bytes {
    return this.device.sizeSectors * SECTOR_BYTES;
  }

  /** Finds out which whole blocks of the device a request touches. */
  align(request: Request): void {
    const { blockBytes } = this;
    const { offsetBytes, lengthBytes } = request;
    request.skipBytes = offsetBytes % blockBytes;
    request.beginBytes = offsetBytes - request.skipBytes;
    const end = offsetBytes + lengthBytes;
    const over = end % blockBytes;
    request.endBytes = Math.min(over === 0 ? end : end - over + blockBytes, this.sizeBytes);
  }

  /**
   * Gives a READ or WRITE its memory.
   *
   * Waits: until other requests give memory back. Answers false if there can never be so much.
   */
  allocPage(request: Request, task: Task): Awaitable<boolean> {
    let bytes = request.endBytes - request.beginBytes;
    // All at once: who holds pages must not wait for more of them.
    if (request.command === Command.Write && !request.isAligned) {
      bytes = scratchOffset(bytes) + this.blockBytes;
    }
    const page = this.pages.alloc(GFP_NOIO, task, Math.ceil(bytes / PAGE_BYTES));
    if (isPending(page)) return page.then((late) => setPage(request, late));
    return setPage(request, page);
  }

  /**
   * Starts a request that was checked and, if a WRITE, has its payload. Its owner hears of the
   * end, perhaps before this returns.
   *
   * Waits: until the device has taken it. What needs more than one bio has a task of its own.
   */
  start(request: Request, task: Task): Awaitable<void> {
    request.backend = this;
    const { command } = request;
    if (command === Command.Read) return this.submit(request, task);
    if (command === Command.Flush) return this.submit(request, task);
    if (command === Command.Cache) {
      this.scheduler.spawn(`${this.label} prefetch`, (own) => prefetch(request, this, own));
      return;
    }
    request.isExclusive = command !== Command.Trim && !request.isAligned;
    if (this.#isOneBio(request) && this.gate.tryEnter(request)) return this.submit(request, task);
    this.startInSteps(request);
  }

  /** Safe in interrupt context. */
  startInSteps(request: Request): void {
    this.scheduler.spawn(`${this.label} at ${String(request.offsetBytes)}`, (task) =>
      serveInSteps(request, this, task),
    );
  }

  /** Submits the one bio that a request is; a change has entered the gate. */
  submit(request: Request, task: Task): Awaitable<void> {
    const bio = this.allocBio(request.page === null ? 0 : 1, task);
    if (isPending(bio)) return bio.then((late) => this.#submitBio(late, request, task));
    return this.#submitBio(bio, request, task);
  }

  /** Waits: for memory. Never null. */
  allocBio(vecMax: number, task: Task): Awaitable<Bio> {
    return this.#bios.alloc(GFP_NOIO, vecMax, task) as Awaitable<Bio>;
  }

  #isOneBio(request: Request): boolean {
    if (request.command === Command.Write) return request.isAligned;
    if (request.lengthBytes > STEP_BYTES_MAX) return false;
    if (!request.isAligned || (request.flags & CommandFlag.Fua) !== 0) return false;
    if (request.command === Command.Trim) return true;
    return this.device.queue.limits.maxWriteZeroesSectors > 0;
  }

  #submitBio(bio: Bio, request: Request, task: Task): Awaitable<void> {
    bio.device = this.device;
    bio.private = request;
    bio.endIo = requestBioEnded;
    address(bio, request);
    return this.submitter.submitBio(bio, task);
  }
}

function setPage(request: Request, page: Page | null): boolean {
  request.page = page;
  return page !== null;
}

function address(bio: Bio, request: Request): void {
  const { command, flags, page } = request;
  if (command === Command.Flush) {
    bio.op = BioOp.Write;
    bio.flags = BioFlag.Preflush;
    return;
  }
  bio.sector = request.beginBytes / SECTOR_BYTES;
  const spanBytes = request.endBytes - request.beginBytes;
  if (page !== null) {
    bio.op = command === Command.Read ? BioOp.Read : BioOp.Write;
    if (command === Command.Write && (flags & CommandFlag.Fua) !== 0) bio.flags = BioFlag.Fua;
    bio.addPage(page, spanBytes, 0);
    return;
  }
  bio.sizeBytes = spanBytes;
  if (command === Command.Trim) bio.op = BioOp.Discard;
  else {
    bio.op = BioOp.WriteZeroes;
    if ((flags & CommandFlag.NoHole) !== 0) bio.flags = BioFlag.NoUnmap;
  }
}

/** Interrupt context. */
function requestBioEnded(bio: Bio): void {
  const request = bio.private as Request;
  const { status } = bio;
  bio.put();
  const { command, backend } = request;
  if (command !== Command.Read && command !== Command.Flush) backend?.gate.leave(request);
  if (status === BioStatus.Ok) request.end(ReplyError.Ok);
  else if (status === BioStatus.NotSupported && isOptional(command)) backend?.startInSteps(request);
  else {
    // Of several blocks, nobody tells which.
    if (backend !== null && request.endBytes - request.beginBytes === backend.blockBytes) {
      request.errorAtBytes = request.offsetBytes;
    }
    request.end(replyErrorOf(status));
  }
}

/** What a device may refuse although its limits promise it, and what then goes another way. */
function isOptional(command: number): boolean {
  return command === Command.WriteZeroes || command === Command.Trim;
}
