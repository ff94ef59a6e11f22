import { type Page } from "@blkstack/bio";
import { BlockError } from "@blkstack/block";
import { type Allocator, Mempool, OutOfMemoryError } from "@blkstack/mempool";
import {
  type Awaitable,
  type Gfp,
  GfpBit,
  isPending,
  type Reserve,
  type Scheduler,
  type Task,
} from "@blkstack/task";
import { BouncePage } from "./bounce-page.ts";

/** Pages in reserve for devices that reach all memory but the high one. */
export const BOUNCE_PAGES = 64;
/** Pages in reserve for devices that reach only the lowest 16 MiB. */
export const ISA_BOUNCE_PAGES = 16;

export interface BouncePagesOptions {
  readonly scheduler: Scheduler;
  /** What people call them: `bounce pages of sda`. */
  readonly label: string;
  /** Single pages that the device reaches. A `PageAllocator` or a `PageArena` is one. */
  readonly source: Allocator<Page>;
  /** How many can be in use with no memory at all; `BOUNCE_PAGES` unless told. */
  readonly reserve?: number;
  /** What every request for memory is marked with besides: `GfpBit.Dma`. */
  readonly gfp?: Gfp;
}

/** A reserve of pages within reach of a device. */
export class BouncePages {
  readonly label: string;
  readonly pool: Mempool<BouncePage>;
  readonly #gfp: Gfp;

  /** Throws a BlockError (ENOMEM) when there is no memory for the reserve. */
  constructor({ scheduler, label, source, reserve = BOUNCE_PAGES, gfp = 0 }: BouncePagesOptions) {
    this.label = label;
    this.#gfp = gfp;
    const allocator = new WrappedPages(source, gfp);
    try {
      this.pool = new Mempool({ scheduler, label, allocator, minNr: reserve });
    } catch (cause) {
      if (!(cause instanceof OutOfMemoryError)) throw cause;
      throw new BlockError("BLK_STATE", cause.errno, cause.message, { cause });
    }
  }

  /** Waits: if `gfp` allows, until a page is given back. Then never null. */
  alloc(gfp: Gfp, task: Task): Awaitable<BouncePage | null> {
    return this.pool.alloc(gfp | this.#gfp, task);
  }

  /** Waits: never. */
  free(page: BouncePage): void {
    page.holder = null;
    this.pool.free(page);
  }

  /** All pages must have come back. */
  destroy(): void {
    this.pool.destroy();
  }
}

/** The pages of a source, each in what says whose it is. */
class WrappedPages implements Allocator<BouncePage> {
  readonly #source: Allocator<Page>;
  readonly #gfp: Gfp;

  constructor(source: Allocator<Page>, gfp: Gfp) {
    this.#source = source;
    this.#gfp = gfp;
  }

  get isExhausted(): boolean {
    return this.#source.isExhausted === true;
  }

  get reserves(): Set<Reserve> | undefined {
    return this.#source.reserves;
  }

  tryAlloc(gfp: Gfp): BouncePage | null {
    return wrapped(this.#source.tryAlloc(gfp | this.#gfp));
  }

  alloc(gfp: Gfp, task: Task): Awaitable<BouncePage | null> {
    // A pool has a patience of its own: the source is to try once.
    const page = this.#source.alloc(gfp | this.#gfp | GfpBit.NoRetry, task);
    return isPending(page) ? page.then(wrapped) : wrapped(page);
  }

  free(page: BouncePage): void {
    this.#source.free(page.memory);
  }
}

function wrapped(page: Page | null): BouncePage | null {
  return page === null ? null : new BouncePage(page);
}
