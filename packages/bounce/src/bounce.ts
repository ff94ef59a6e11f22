import {
  type Bio,
  BIO_MAX_VECS,
  bioEndio,
  BioOp,
  BioState,
  BioStatus,
  type Bytes,
  chainBio,
  invariant,
  isBio,
  PAGE_BYTES,
  SECTOR_BYTES,
} from "@blkstack/bio";
import { BioSet, type BioSetOptions } from "@blkstack/bio-set";
import type { Submitter } from "@blkstack/block";
import { type Awaitable, isPending, type Task } from "@blkstack/task";
import { BouncePage } from "./bounce-page.ts";
import type { BouncePages } from "./bounce-pages.ts";
import { Cursor } from "./cursor.ts";
import type { Patience } from "./patience.ts";
import type { Reach } from "./reach.ts";

/** Stand-ins that a set of their own has in reserve. */
const STAND_INS = 2;

export interface BounceOptions {
  readonly reach: Reach;
  readonly pages: BouncePages;
  /**
   * Where stand-ins come from; with vectors. A set that others use too is as safe as the worst that
   * they do with it: `standInSet` makes one for nobody else.
   */
  readonly bios: BioSet;
  /**
   * For bios of more pieces than a stand-in has vectors: the front is cut off with a bio of `set`
   * and bounced, and the rest is submitted again. Without it, such a bio must not come.
   */
  readonly cut?: { readonly set: BioSet; readonly submitter: Submitter };
}

/** A set of bios for the stand-ins of one `Bounce`; `poolSize` is 2 unless told. */
export function standInSet(
  options: Omit<BioSetOptions, "poolSize"> & { readonly poolSize?: number },
): BioSet {
  return new BioSet({ poolSize: STAND_INS, ...options, needBvecs: true });
}

interface Wish {
  readonly bio: Bio;
  /** How much of `bio` is left behind the stand-in: more than 0 when it is to be cut. */
  readonly restBytes: Bytes;
  readonly patience: Patience;
  readonly task: Task;
}

/** What is being made. */
interface Work extends Wish {
  readonly standIn: Bio;
  /** Where the filling stands in the data of `bio`. */
  readonly cursor: Cursor;
}

/**
 * Gives a device bios whose memory it can use. A bio with memory out of reach is kept back, and a
 * stand-in goes down in its place, with pages within reach instead: written data is copied into them
 * on the way down, read data out of them on the way up.
 *
 * A bounce takes a bio and one or more pages. Whoever bounces a second bio while the first is not in
 * flight yet waits for what it holds itself: either the pools are large enough (`poolSizeFor`), or
 * the bounces may fail (`FAILABLE`), or each bio is submitted before the next is bounced.
 *
 * Taught by the 2009 discussion of blk_rq_map_kern_sg.
 */
export class Bounce {
  readonly #reach: Reach;
  readonly #pages: BouncePages;
  readonly #bios: BioSet;
  readonly #cut: BounceOptions["cut"] | null;
  readonly #ended = (standIn: Bio): void => {
    this.#end(standIn);
  };

  constructor({ reach, pages, bios, cut }: BounceOptions) {
    this.#reach = reach;
    this.#pages = pages;
    this.#bios = bios;
    this.#cut = cut ?? null;
  }

  /** Whether any of the memory of `bio` is out of reach. Waits: never. */
  needs(bio: Bio): boolean {
    if (this.#reach.isTotal || !bio.hasData) return false;
    return this.#isOutOfReach(bio);
  }

  /**
   * What to submit instead of `bio`: itself where its memory is in reach, else a stand-in. It ends
   * `bio` when it ends, with the same status. One that is not to be issued any more is ended with an
   * error (`bioError`), which gives back all that it has: its `endIo` is not for anybody else to call.
   *
   * Null when `patience` forbids to wait and not all is there: nothing is held then, and `bio` is as
   * it was.
   *
   * Waits: as `patience` says, for a stand-in, its vectors, and each page.
   */
  bounce(bio: Bio, patience: Patience, task: Task): Awaitable<Bio | null> {
    if (!this.needs(bio)) return bio;
    const { pieces, bytes } = this.#measure(bio);
    const standIn = this.#bios.alloc(patience.first, pieces, task);
    const wish: Wish = { bio, restBytes: bio.sizeBytes - bytes, patience, task };
    if (standIn === null || isBio(standIn)) return this.#begin(standIn, wish);
    return standIn.then((late) => this.#begin(late, wish));
  }

  #isOutOfReach(bio: Bio): boolean {
    let left = bio.sizeBytes;
    let skip = bio.vecDoneBytes;
    for (let index = bio.vecIndex; left > 0; index += 1) {
      const vec = bio.vecs[index];
      if (vec === undefined) invariant(false, "a bio is longer than its vectors");
      let offset = vec.offset + skip;
      const end = offset + Math.min(left, vec.length - skip);
      left -= end - offset;
      skip = 0;
      while (offset < end) {
        const length = Math.min(end - offset, PAGE_BYTES - (offset % PAGE_BYTES));
        if (!this.#reach.reaches(vec.page, offset, length)) return true;
        offset += length;
      }
    }
    return false;
  }

  /** How many vectors a stand-in needs at most, and how much of the bio it can stand in for. */
  #measure(bio: Bio): { pieces: number; bytes: Bytes } {
    const cursor = new Cursor(bio);
    let pieces = 0;
    while (cursor.leftBytes > 0 && pieces < BIO_MAX_VECS) {
      cursor.advance(this.#nextBytes(cursor));
      pieces += 1;
    }
    const bytes = bio.sizeBytes - cursor.leftBytes;
    if (cursor.leftBytes === 0) return { pieces, bytes };
    invariant(bytes >= SECTOR_BYTES, "a bio with less than a sector in all vectors of a stand-in");
    return { pieces, bytes: bytes - (bytes % SECTOR_BYTES) };
  }

  #nextBytes(cursor: Cursor): Bytes {
    if (this.#reach.placement === "packed") return Math.min(cursor.leftBytes, PAGE_BYTES);
    return cursor.pieceBytes;
  }

  #begin(standIn: Bio | null, wish: Wish): Awaitable<Bio | null> {
    const { bio, restBytes, patience, task } = wish;
    if (standIn === null) return null;
    standIn.device = bio.device;
    standIn.partition = bio.partition;
    standIn.op = bio.op;
    standIn.flags = bio.flags;
    standIn.state |= BioState.Bounced;
    standIn.sector = bio.sector;
    return this.#fill({ bio, standIn, cursor: new Cursor(bio), restBytes, patience, task });
  }

  #fill(work: Work): Awaitable<Bio | null> {
    const { cursor, restBytes, patience, task } = work;
    while (cursor.leftBytes > restBytes) {
      if (this.#shares(work)) continue;
      const page = this.#pages.alloc(patience.rest, task);
      if (page === null) return this.#giveUp(work);
      if (isPending(page)) return this.#fillWhenThere(page, work);
      this.#place(page, work);
    }
    return restBytes > 0 ? this.#cutFront(work) : this.#stand(work, work.bio);
  }

  async #fillWhenThere(page: Promise<BouncePage | null>, work: Work): Promise<Bio | null> {
    const late = await page;
    if (late === null) return this.#giveUp(work);
    this.#place(late, work);
    return this.#fill(work);
  }

  /** Whether the next piece is in reach: then the stand-in has it as it is. */
  #shares({ cursor, standIn, restBytes }: Work): boolean {
    if (this.#reach.placement === "packed") return false;
    const { page, offset } = cursor;
    const length = Math.min(cursor.pieceBytes, cursor.leftBytes - restBytes);
    if (!this.#reach.reaches(page, offset, length)) return false;
    standIn.addPage(page, length, offset);
    cursor.advance(length);
    return true;
  }

  #place(page: BouncePage, { cursor, standIn, restBytes }: Work): void {
    invariant(this.#reach.reaches(page, 0, PAGE_BYTES), "a bounce page out of reach");
    const isPacked = this.#reach.placement === "packed";
    const length = Math.min(this.#nextBytes(cursor), cursor.leftBytes - restBytes);
    const offset = isPacked ? 0 : cursor.offset % PAGE_BYTES;
    page.holder = standIn;
    standIn.addPage(page, length, offset);
    if (standIn.op === BioOp.Read) cursor.advance(length);
    else cursor.copyTo(page.bytes.subarray(offset, offset + length));
  }

  #cutFront(work: Work): Awaitable<Bio | null> {
    const { bio, standIn, patience, task } = work;
    invariant(
      this.#cut !== null && this.#cut !== undefined,
      "a bio of too many pieces, and no set to cut it with",
    );
    const front = this.#cut.set.split(bio, standIn.sectors, patience.rest, task);
    return isPending(front)
      ? front.then((late) => this.#submitRest(late, work))
      : this.#submitRest(front, work);
  }

  #submitRest(front: Bio | null, work: Work): Awaitable<Bio | null> {
    if (front === null) return this.#giveUp(work);
    const { bio, task } = work;
    chainBio(front, bio);
    const standIn = this.#stand(work, front);
    const submitted = this.#cut?.submitter.submitBio(bio, task);
    return isPending(submitted) ? submitted.then(() => standIn) : standIn;
  }

  #stand({ standIn }: Work, original: Bio): Bio {
    standIn.private = original;
    standIn.parent = original;
    standIn.endIo = this.#ended;
    return standIn;
  }

  #giveUp({ standIn, bio }: Work): null {
    this.#takePages(standIn, bio, false);
    standIn.put();
    return null;
  }

  /** Interrupt context. */
  #end(standIn: Bio): void {
    const original = standIn.private as Bio;
    const { status } = standIn;
    this.#takePages(standIn, original, standIn.op === BioOp.Read && status === BioStatus.Ok);
    if (status !== BioStatus.Ok) original.status = status;
    bioEndio(original);
    standIn.put();
  }

  /** Gives the pages of a stand-in back, after copying what was read to where it belongs. */
  #takePages(standIn: Bio, original: Bio, copies: boolean): void {
    const cursor = new Cursor(original);
    // The vectors and not the iterator, which has moved on; the original's has not.
    for (let index = 0; index < standIn.vecCount; index += 1) {
      const vec = standIn.vecs[index];
      if (vec === undefined) invariant(false, "a bio has fewer vectors than it counts");
      const { page, offset, length } = vec;
      if (page === cursor.page) {
        cursor.advance(length);
        continue;
      }
      if (copies) cursor.copyFrom(page.bytes.subarray(offset, offset + length));
      else cursor.advance(length);
      invariant(page instanceof BouncePage, "a stand-in has memory of somebody else");
      this.#pages.free(page);
    }
  }
}
