import { dataOf as bioData } from "@blkstack/block/testing";
import {
  Bio,
  bioEndio,
  BioOp,
  BioStatus,
  type Bytes,
  createVecs,
  PAGE_BYTES,
  type Page,
} from "@blkstack/bio";
import {
  type BlockDevice,
  defaultLimits,
  deviceOf,
  type QueueLimits,
  RequestQueue,
  type Submitter,
} from "@blkstack/block";
import { type Gfp, Memory, mayWait, PageAllocator } from "@blkstack/memory";
import type { Task } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import {
  type Bouncer,
  type MapErrno,
  Request,
  RequestMapper,
  type RequestMapperOptions,
  type SgEntry,
  type SgList,
} from "../src/index.ts";

/** Pages from here on are out of reach of the device. */
const HIGH_FRAME = 100_000;

/** A device that keeps what it is given until the test ends it. */
export class HoldingDisk implements BlockDevice {
  readonly name = "sda";
  readonly sizeSectors = 0;
  readonly isReadOnly = false;
  readonly queue: RequestQueue;
  readonly held: Bio[] = [];

  constructor(limits: Partial<QueueLimits>) {
    this.queue = new RequestQueue("sda", { ...defaultLimits(), maxHwSectors: 4096, ...limits });
  }

  submitBio(bio: Bio): void {
    this.held.push(bio);
  }

  /** Ends all that it holds: reads bring `fill`. */
  end(fill: number, statusOf: (index: number) => BioStatus = () => BioStatus.Ok): void {
    for (const [index, bio] of this.held.splice(0).entries()) {
      const status = statusOf(index);
      if (bio.op === BioOp.Read) {
        for (const { page, offset, length } of bio.vecs.slice(0, bio.vecCount)) {
          page.bytes.fill(fill, offset, offset + length);
        }
      }
      if (status !== BioStatus.Ok) bio.status = status;
      bioEndio(bio);
    }
  }
}

/** Stand-ins from a reserve, in the way of `@blkstack/bounce` but for whole bios. */
export class CountingBouncer implements Bouncer {
  left: number;
  live = 0;
  readonly asked: (readonly [first: boolean, rest: boolean])[] = [];

  constructor(reserve: number) {
    this.left = reserve;
  }

  bounce(bio: Bio, patience: { readonly first: Gfp; readonly rest: Gfp }): Bio | null {
    if (!bio.vecs.some(({ page }) => page.frame >= HIGH_FRAME)) return bio;
    this.asked.push([mayWait(patience.first), mayWait(patience.rest)]);
    if (this.left === 0) return null;
    this.left -= 1;
    this.live += 1;
    return this.#standIn(bio);
  }

  #standIn(bio: Bio): Bio {
    const standIn = new Bio();
    standIn.vecs = createVecs(bio.vecCount);
    standIn.vecMax = bio.vecCount;
    Object.assign(standIn, { op: bio.op, device: bio.device, sector: bio.sector });
    for (const { page, offset, length } of bio.vecs.slice(0, bio.vecCount)) {
      standIn.addPage({ bytes: page.bytes.slice(), frame: 1 }, length, offset);
    }
    standIn.endIo = ({ status }) => {
      this.live -= 1;
      this.left += 1;
      bio.status = status;
      if (bio.op === BioOp.Read && status === BioStatus.Ok) copyVecs(standIn, bio);
      bioEndio(bio);
    };
    return standIn;
  }
}

function copyVecs(from: Bio, to: Bio): void {
  for (const [index, { page, offset, length }] of from.vecs.entries()) {
    to.vecs[index]?.page.bytes.set(page.bytes.subarray(offset, offset + length), offset);
  }
}

export interface SettingOptions extends Partial<RequestMapperOptions> {
  readonly limits?: Partial<QueueLimits>;
}

/** A mapper and all that it takes from: whose balance is to be zero. */
export class Setting {
  readonly scheduler = new VirtualScheduler();
  readonly memory: Memory = new Memory({ scheduler: this.scheduler });
  readonly pages: PageAllocator;
  readonly disk: HoldingDisk;
  readonly mapper: RequestMapper;
  readonly submitter: Submitter = {
    submitBio: (bio, task) => deviceOf(bio).submitBio(bio, task),
  };
  /** Bios of the heap that were not put. */
  liveBios = 0;

  constructor({ limits = {}, ...options }: SettingOptions = {}) {
    const { memory } = this;
    this.pages = new PageAllocator({ memory, limitPages: 300, label: "pages" });
    this.disk = new HoldingDisk(limits);
    const heap = { alloc: (_gfp: Gfp, count: number): Bio | null => this.#heapBio(count) };
    this.mapper = new RequestMapper({ memory, pages: this.pages, heap, ...options });
  }

  request(op: typeof BioOp.Read | typeof BioOp.Write = BioOp.Write): Request {
    return new Request(this.disk, op, 8);
  }

  map(request: Request, list: SgList, gfp: Gfp): Promise<MapErrno> {
    return this.scheduler.perform("mapper", (task) =>
      this.mapper.mapKernSg(request, list, gfp, task),
    );
  }

  /** Maps and issues; `end` is called when the device has it all. */
  async run(request: Request, list: SgList, gfp: Gfp, end: () => void): Promise<BioStatus> {
    let status = null as BioStatus | null;
    const body = async (task: Task): Promise<void> => {
      const mapped = await this.mapper.mapKernSg(request, list, gfp, task);
      if (mapped !== 0) throw new Error(`not mapped: ${String(mapped)}`);
      status = await request.execute(this.submitter, task);
    };
    this.scheduler.spawn("issuer", body);
    await this.scheduler.run();
    end();
    await this.scheduler.run();
    if (status === null) throw new Error("the request did not end");
    return status;
  }

  get missing(): { bios: number; pages: number; copies: number } {
    return { bios: this.liveBios, pages: this.pages.usedPages, copies: this.mapper.liveCopies };
  }

  #heapBio(count: number): Bio | null {
    if (this.memory.fails("heap", 0)) return null;
    this.liveBios += 1;
    const pool = {
      label: "heap",
      release: (): void => {
        this.liveBios -= 1;
      },
    };
    const bio = new Bio(pool);
    // More room than was asked for, as pools give.
    bio.vecs = createVecs(count + 2);
    bio.vecMax = count + 2;
    return bio;
  }
}

let nextFrame = 10;

export function page(fill = 0, frame?: number): Page {
  nextFrame += 2;
  return { bytes: new Uint8Array(PAGE_BYTES).fill(fill), frame: frame ?? nextFrame };
}

export function highPage(fill = 0): Page {
  return page(fill, HIGH_FRAME);
}

export function entry(at: Page, offset: Bytes = 0, length: Bytes = PAGE_BYTES): SgEntry {
  return { page: at, offset, length };
}

/** The bios of a request: how many vectors each, and from which sector. */
export function shapeOf(request: Request): (readonly [vecs: number, sector: number])[] {
  return [...request.bios].map((bio) => [bio.vecCount, bio.sector] as const);
}

/** What the device would move, in order. */
export function dataOf(bios: Iterable<Bio>): Uint8Array {
  return new Uint8Array(Buffer.concat([...bios].map(bioData)));
}

export function bytesOf(list: SgList): Uint8Array {
  const bytes = list.map(({ page: { bytes: all }, offset, length }) =>
    all.subarray(offset, offset + length),
  );
  return new Uint8Array(Buffer.concat(bytes));
}
