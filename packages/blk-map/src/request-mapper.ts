import {
  type Bio,
  BIO_MAX_VECS,
  bioError,
  BioOp,
  BioStatus,
  errnoToStatus,
  invariant,
  type Page,
  PAGE_BYTES,
  SECTOR_BYTES,
} from "@blkstack/bio";
import { HeapBios } from "@blkstack/bio-set";
import { type Memory, Slab } from "@blkstack/memory";
import type { Allocator } from "@blkstack/mempool";
import {
  type Awaitable,
  type Gfp,
  GFP_NOIO,
  GFP_NOWAIT,
  GfpBit,
  mayWait,
  type Task,
} from "@blkstack/task";
import { CopyRecord } from "./copy-record.ts";
import type { Request } from "./request.ts";
import { SegmentCounter } from "./segment-counter.ts";
import {
  copyBetween,
  isAligned,
  pieces,
  type SgEntry,
  type SgList,
  totalBytes,
} from "./sg-list.ts";

const EIO = -5;
const ENOMEM = -12;
const EINVAL = -22;

const HURRIED = { first: GFP_NOWAIT, rest: GFP_NOWAIT };
const FIRST_PATIENT = { first: GFP_NOIO, rest: GFP_NOWAIT };
const PATIENT = { first: GFP_NOIO, rest: GFP_NOIO };

/** 0, or why there is no mapping: EIO, ENOMEM or EINVAL, negative. */
export type MapErrno = 0 | typeof EIO | typeof ENOMEM | typeof EINVAL;

/** Gives a device bios whose memory it can use; a `Bounce` of `@blkstack/bounce` is one. */
export interface Bouncer {
  /**
   * `bio` itself, or what stands in for it and ends it; null, and `bio` untouched, when that cannot
   * be had with the masks given: for the first thing taken, and for the rest.
   */
  bounce(
    bio: Bio,
    patience: { readonly first: Gfp; readonly rest: Gfp },
    task: Task,
  ): Awaitable<Bio | null>;
}

/** Where bios come from that may fail to be there; `HeapBios` is one. */
export interface BioHeap {
  alloc(gfp: Gfp, vecCount: number, task: Task): Awaitable<Bio | null>;
}

export interface RequestMapperOptions {
  readonly memory: Memory;
  /** Pages for copies, in reach of the devices. */
  readonly pages: Allocator<Page>;
  /** Unless told, bios of the heap: a request may need many, and no reserve is large enough for all. */
  readonly heap?: BioHeap;
  /** Without one, devices are expected to reach all memory. */
  readonly bouncer?: Bouncer;
  /**
   * `failable`, unless told: only the first bio of a request waits to be bounced, while nothing is
   * held; when another one cannot be, the mapping fails and lets go of all. A request of one piece of
   * a page at most never fails so. `mustSucceed` waits with the others in hand, and so for ever when
   * the reserves are too small for all requests.
   */
  readonly bouncing?: "failable" | "mustSucceed";
  /** Vectors of one bio at most; 256 unless told, which is the most. */
  readonly vecsPerBio?: number;
  /** The length of a request must be a multiple of this plus one, or have room behind it. 0: any. */
  readonly padMask?: number;
  /**
   * Whether memory in pieces that are not whole logical blocks is copied, even for a device that does
   * not ask for it: then each bio is of whole blocks and can be issued. Default: false.
   */
  readonly wholeBlocks?: boolean;
}

/**
 * Makes requests from lists of our own memory, without copying where the device can use that memory,
 * else with one copy of the whole list. A request that cannot be made is as if it had not been tried.
 *
 * The first error is the one that is answered.
 *
 * Taught by the 2009 discussion of blk_rq_map_kern_sg.
 */
export class RequestMapper {
  readonly #pages: Allocator<Page>;
  readonly #heap: BioHeap;
  readonly #records: Slab<CopyRecord>;
  readonly #bouncer: Bouncer | null;
  readonly #mayFail: boolean;
  readonly #vecsPerBio: number;
  readonly #padMask: number;
  readonly #wholeBlocks: boolean;
  readonly #ended = (bio: Bio): void => {
    this.#endBio(bio);
  };

  constructor(options: RequestMapperOptions) {
    const { memory, pages, heap, bouncer, bouncing = "failable" } = options;
    this.#pages = pages;
    this.#heap = heap ?? new HeapBios(memory, "bios of requests");
    this.#records = new Slab(memory, "copies of requests", () => new CopyRecord());
    this.#bouncer = bouncer ?? null;
    this.#mayFail = bouncing === "failable";
    this.#vecsPerBio = Math.min(options.vecsPerBio ?? BIO_MAX_VECS, BIO_MAX_VECS);
    this.#padMask = options.padMask ?? 0;
    this.#wholeBlocks = options.wholeBlocks ?? false;
  }

  /** Copies that are in use; 0 when all requests have ended. */
  get liveCopies(): number {
    return this.#records.liveCount;
  }

  /**
   * Makes `list` the memory of `request`, which has none yet. EINVAL: an empty list or entry, or more
   * than the device takes in one request. ENOMEM: no memory. EIO: the device takes not even one piece.
   *
   * Waits: for memory, if `gfp` allows; to bounce, as `bouncing` says, but for nothing if `gfp`
   * forbids to wait.
   */
  async mapKernSg(request: Request, list: SgList, gfp: Gfp, task: Task): Promise<MapErrno> {
    invariant(request.bios.isEmpty, "a request is mapped that has bios already");
    if (list.length === 0 || list.some(({ length }) => length <= 0)) {
      task.scheduler.warn(`${task.name} maps a list with nothing in it`);
      return EINVAL;
    }
    const bytes = totalBytes(list);
    const isSuitable =
      isAligned(list, this.#maskFor(request)) &&
      (request.hasTailRoom || bytes % (this.#padMask + 1) === 0);
    if (isSuitable) return this.#mapDirectly(request, list, gfp, task);
    return this.#mapCopy(request, list, gfp, task);
  }

  /** Undoes `mapKernSg` for a request that will not be issued: its bios end with `errno`, negative. */
  unmapKernSg(request: Request, errno: number): void {
    this.#unwind(request, null, [], errno);
  }

  /** Ends a bio that was made and never issued. The same way as any other ends, for it may be a stand-in. */
  protected endUnissued(bio: Bio, status: BioStatus): void {
    bioError(bio, status);
  }

  /** Lets go of a bio of which nobody knows yet. */
  protected release(bio: Bio): void {
    bio.put();
  }

  /** One of the bios that work on a copy has ended. Whether the read is good is for all of them to say. */
  protected noteEnd(record: CopyRecord, status: BioStatus): void {
    record.note(status);
  }

  async #mapDirectly(request: Request, list: SgList, gfp: Gfp, task: Task): Promise<MapErrno> {
    const bios = await this.#makeBios(request, list, gfp, task);
    if (!Array.isArray(bios)) return bios;
    for (const [index, bio] of bios.entries()) {
      const bounced = await this.#bounce(
        bio,
        { isFirst: index === 0, isOnly: isOnePiece(bios) },
        gfp,
        task,
      );
      if (bounced === null) return this.#unwind(request, null, bios.slice(index), ENOMEM);
      this.#arm(request, bio);
      if (!request.append(bounced)) {
        return this.#unwind(request, bounced, bios.slice(index + 1), EINVAL);
      }
    }
    return 0;
  }

  async #mapCopy(request: Request, list: SgList, gfp: Gfp, task: Task): Promise<MapErrno> {
    const record = await this.#records.alloc(gfp, task);
    if (record === null) return ENOMEM;
    record.begin(list);
    const result = await this.#fillCopy(request, record, gfp, task);
    if (result !== 0) {
      record.note(errnoToStatus(result));
      request.copy = null;
    }
    this.#dropCopy(record, request);
    return result;
  }

  async #fillCopy(request: Request, record: CopyRecord, gfp: Gfp, task: Task): Promise<MapErrno> {
    const bytes = totalBytes(record.original);
    while (record.pages.length * PAGE_BYTES < bytes) {
      // Whoever has some pages and waits for more may wait for somebody who does the same.
      const mask = record.pages.length === 0 ? gfp : gfp | GfpBit.NoRetry;
      const page = await this.#pages.alloc(mask, task);
      if (page === null) return ENOMEM;
      record.pages.push(page);
    }
    if (request.op === BioOp.Write) copyBetween(record.original, memoryOf(record), "out");
    request.copy = record;
    const list = record.list(bytes);
    // Memory that not even a whole page is right for.
    if (!isAligned(list, this.#maskFor(request))) return EINVAL;
    return this.#mapDirectly(request, list, gfp, task);
  }

  /** The bios for a list, which nobody knows of yet; or why there are none. */
  async #makeBios(request: Request, list: SgList, gfp: Gfp, task: Task): Promise<Bio[] | MapErrno> {
    const all = [...pieces(list)];
    const bios: Bio[] = [];
    let sentBytes = 0;
    for (let at = 0; at < all.length;) {
      const bio = await this.#heap.alloc(gfp, Math.min(this.#vecsPerBio, all.length - at), task);
      const taken = bio === null ? 0 : this.#addPieces(request, bio, all, at);
      if (bio !== null) bios.push(bio);
      if (taken === 0) {
        for (const unused of bios) this.release(unused);
        return bio === null ? ENOMEM : EIO;
      }
      if (bio === null) continue;
      bio.device = request.device;
      bio.op = request.op;
      bio.flags = request.flags;
      bio.sector = request.sector + Math.floor(sentBytes / SECTOR_BYTES);
      sentBytes += bio.sizeBytes;
      at += taken;
    }
    return bios;
  }

  /** What the pieces of memory must be multiples of, less one. */
  #maskFor({ device }: Request): number {
    const { dmaAlignmentMask, logicalBlockBytes } = device.queue.limits;
    if (!this.#wholeBlocks) return dmaAlignmentMask;
    // A copy is of pages, and no better than that.
    return Math.max(dmaAlignmentMask, Math.min(logicalBlockBytes, PAGE_BYTES) - 1);
  }

  /** Fills a bio with the pieces from `from` on; answers how many it takes. */
  #addPieces(request: Request, bio: Bio, all: readonly SgEntry[], from: number): number {
    const { limits } = request.device.queue;
    const segments = new SegmentCounter(limits);
    let index = from;
    for (let piece = all[index]; piece !== undefined; piece = all[index]) {
      const { page, offset, length } = piece;
      if (bio.sizeBytes + length > limits.maxHwSectors * SECTOR_BYTES) break;
      if (!segments.canFollow(page, offset)) break;
      if (segments.countWith(page, offset, length) > limits.maxSegments) break;
      // A pool may give bios with more room than they were asked for.
      const isFull = bio.vecCount === this.#vecsPerBio;
      if (isFull || bio.addPage(page, length, offset) === 0) break;
      segments.add(page, offset, length);
      index += 1;
    }
    return index - from;
  }

  #bounce(
    bio: Bio,
    { isFirst, isOnly }: { isFirst: boolean; isOnly: boolean },
    gfp: Gfp,
    task: Task,
  ): Awaitable<Bio | null> {
    if (this.#bouncer === null) return bio;
    if (!mayWait(gfp)) return this.#bouncer.bounce(bio, HURRIED, task);
    // What all have that wait is then one stand-in, and who has a page has all it wants.
    if (!this.#mayFail || isOnly) return this.#bouncer.bounce(bio, PATIENT, task);
    return this.#bouncer.bounce(bio, isFirst ? FIRST_PATIENT : HURRIED, task);
  }

  /** From here on the bio is ended, by whoever has it or what stands in for it. */
  #arm(request: Request, bio: Bio): void {
    bio.private = request;
    bio.endIo = this.#ended;
    request.noteBegin(bio);
    if (request.copy !== null) request.copy.users += 1;
  }

  /** Leaves the request as it was before anything was mapped. */
  #unwind(
    request: Request,
    unappended: Bio | null,
    unbounced: readonly Bio[],
    errno: number,
  ): typeof EIO | typeof ENOMEM | typeof EINVAL {
    const status = errnoToStatus(errno);
    for (let bio = request.bios.pop(); bio !== null; bio = request.bios.pop()) {
      this.endUnissued(bio, status);
    }
    if (unappended !== null) this.endUnissued(unappended, status);
    for (const bio of unbounced) this.release(bio);
    request.reset();
    return errno as typeof EIO | typeof ENOMEM | typeof EINVAL;
  }

  /** Interrupt context. */
  #endBio(bio: Bio): void {
    const request = bio.private as Request;
    const { copy } = request;
    if (copy !== null) {
      this.noteEnd(copy, bio.status);
      this.#dropCopy(copy, request);
    }
    request.noteEnd(bio);
    bio.put();
  }

  /** One user less of a copy. The last one gives it up, after a good read has been copied back. */
  #dropCopy(record: CopyRecord, { op }: Request): void {
    record.users -= 1;
    if (record.users > 0) return;
    if (op === BioOp.Read && record.status === BioStatus.Ok) {
      copyBetween(record.original, memoryOf(record), "in");
    }
    for (const page of record.pages.splice(0)) this.#pages.free(page);
    record.original = [];
    this.#records.free(record);
  }
}

/** Whether a request is a page or less in one place. */
function isOnePiece(bios: readonly Bio[]): boolean {
  const [first] = bios;
  return bios.length === 1 && first?.vecCount === 1 && first.sizeBytes <= PAGE_BYTES;
}

/** The bytes of a copy. The last page is longer than the data, which does no harm. */
function memoryOf({ pages }: CopyRecord): Uint8Array[] {
  return pages.map(({ bytes }) => bytes);
}
