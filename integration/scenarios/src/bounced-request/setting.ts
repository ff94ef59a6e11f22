import { Bio, BioOp, type BioPool, BioStatus, createVecs, PAGE_BYTES } from "@blkstack/bio";
import type { BioSet } from "@blkstack/bio-set";
import {
  type BioHeap,
  Request,
  type RequestMapperOptions,
  RequestMapper,
  type SgList,
} from "@blkstack/blk-map";
import { Bounce, BouncePages, framesUpTo, standInSet } from "@blkstack/bounce";
import { RamDisk, type RamDiskOptions } from "@blkstack/disk-ram";
import type { World } from "@blkstack/explorer";
import { MakeRequest } from "@blkstack/make-request";
import { failsAt, Memory, PageAllocator } from "@blkstack/memory";
import { GFP_NOIO, type Task } from "@blkstack/task";
import { complaintsOf, watchPool, watchSet } from "../bioset-split/stack.ts";

/** Pages from here on are out of reach of the disk. */
const HIGH_FRAME = 1000;

export type MapperClass = new (options: RequestMapperOptions) => RequestMapper;

export interface BounceWish {
  readonly standIns: number;
  /** Pages in reserve; where it is not said, so many that nobody looks. */
  readonly pages?: number;
  readonly disk?: Partial<RamDiskOptions>;
}

/** A disk that reaches no high memory, and no memory but the reserves. */
export class BounceSetting {
  readonly world: World;
  readonly memory: Memory;
  readonly submitter = new MakeRequest();
  readonly disk: RamDisk;
  readonly set: BioSet;
  readonly pages: BouncePages;
  readonly bounce: Bounce;
  readonly heap: CountedHeap = new CountedHeap();
  readonly copies: PageAllocator;

  readonly #canFail: boolean;

  constructor(world: World, { standIns, pages, disk = {} }: BounceWish) {
    const { scheduler } = world;
    this.world = world;
    this.#canFail = disk.faults !== undefined;
    this.memory = new Memory({ scheduler });
    const { memory } = this;
    const limits = { dmaAlignmentMask: 511 };
    this.disk = new RamDisk({ name: "sda", sizeSectors: 4096, scheduler, limits, ...disk });
    // Nobody looks at the data of another, and nobody freezes the queue.
    world.ignore(this.disk);
    world.ignore(this.disk.queue);
    this.set = standInSet({ name: "stand-ins", scheduler, memory, poolSize: standIns });
    watchSet(world, this.set);
    const source = new PageAllocator({ memory, limitPages: 200, label: "low memory" });
    world.ignore(source);
    this.copies = new PageAllocator({ memory, limitPages: 8, label: "copies" });
    world.ignore(this.copies);
    this.pages = new BouncePages({
      scheduler,
      label: "bounce pages",
      source,
      reserve: pages ?? 12,
    });
    if (pages === undefined) world.ignore(this.pages.pool);
    else watchPool(world, this.pages.pool);
    this.bounce = new Bounce({
      reach: framesUpTo(HIGH_FRAME - 1),
      pages: this.pages,
      bios: this.set,
    });
    memory.faultPlan = failsAt([
      "bios of stand-ins",
      ...[16, 64, 128, 256].map((vecs) => `bvec-${String(vecs)} of stand-ins`),
      "low memory",
    ]);
    world.atEnd(() => this.#complaints());
  }

  mapper(options: Partial<RequestMapperOptions>, Kind: MapperClass = RequestMapper): RequestMapper {
    const { memory, copies, heap, bounce } = this;
    const common = { memory, pages: copies, heap, bouncer: bounce, vecsPerBio: 1 };
    return new Kind({ ...common, ...options });
  }

  request(op: typeof BioOp.Read | typeof BioOp.Write = BioOp.Write): Request {
    const request = new Request(this.disk, op, 0);
    // In which order its bios end is no matter, unless they end differently.
    if (!this.#canFail) this.world.ignore(request);
    return request;
  }

  /** `count` pages that the disk does not reach. */
  highPages(count: number, fill = 0): SgList {
    return Array.from({ length: count }, (_, index) => ({
      page: { bytes: new Uint8Array(PAGE_BYTES).fill(fill), frame: HIGH_FRAME + 2 * index },
      offset: 0,
      length: PAGE_BYTES,
    }));
  }

  /** A write of one bio over `count` pages that the disk does not reach. */
  highBio(count: number): Bio {
    const bio = new Bio();
    bio.device = this.disk;
    bio.op = BioOp.Write;
    bio.vecs = createVecs(count);
    bio.vecMax = count;
    for (const { page } of this.highPages(count)) bio.addPage(page, PAGE_BYTES, 0);
    return bio;
  }

  /** Spawns a task that ends well when `work` answers Ok. */
  spawn(name: string, work: (task: Task) => Promise<BioStatus>): void {
    let status: BioStatus | null = null;
    const body = async (task: Task): Promise<void> => {
      status = await work(task);
    };
    // How its first bio ends is asked when that is submitted: a choice is made in a step.
    this.world.spawn(name, body, { startsAtFirstStep: !this.#canFail });
    this.world.atEnd(() => (status === BioStatus.Ok ? [] : [`${name}'s request did not end well`]));
  }

  *#complaints(): Iterable<{ kind: "LEAK" | "WRONG"; message: string }> {
    yield* complaintsOf(this.set);
    const { pool } = this.pages;
    if (pool.liveCount > 0 || pool.currNr < pool.minNr) {
      yield { kind: "LEAK", message: `${String(pool.liveCount)} bounce pages never came back` };
    }
    if (this.heap.live > 0) {
      yield { kind: "LEAK", message: `${String(this.heap.live)} bios of the heap were lost` };
    }
    if (this.copies.usedPages > 0) {
      yield { kind: "LEAK", message: `${String(this.copies.usedPages)} pages of a copy were lost` };
    }
  }
}

/** A heap that knows what it gave away, and has always some. */
export class CountedHeap implements BioHeap, BioPool {
  readonly label = "the heap";
  live = 0;

  alloc(_gfp: number, vecCount: number): Bio {
    this.live += 1;
    const bio = new Bio(this);
    bio.vecs = createVecs(vecCount);
    bio.vecMax = vecCount;
    return bio;
  }

  release(): void {
    this.live -= 1;
  }
}

/** Bios of requests from the set that everybody else uses, too: as nobody should. */
export function heapOf(set: BioSet): BioHeap {
  return { alloc: (_gfp, vecCount, task) => set.alloc(GFP_NOIO, vecCount, task) };
}
