import {
  type Bio,
  BioFlag,
  type BioFlags,
  BioOp,
  BioStatus,
  type Bytes,
  PAGE_BYTES,
  type Page,
  SECTOR_BYTES,
  type Sectors,
} from "@blkstack/bio";
import { HeapBios } from "@blkstack/bio-set";
import {
  type Bouncer,
  cutList,
  RequestMapper,
  type SgList,
  totalBytes,
  transferKernSg,
} from "@blkstack/blk-map";
import type { BlockDevice, Submitter } from "@blkstack/block";
import { submitAndWait } from "@blkstack/make-request";
import type { Memory } from "@blkstack/memory";
import type { Allocator } from "@blkstack/mempool";
import { GFP_NOIO, isPending, type Task } from "@blkstack/task";

/** The largest logical block: a copy is of pages. */
export const BLOCK_BYTES_MAX: Bytes = PAGE_BYTES;
/** The size of a bio is below 4 GiB. */
const RANGE_BYTES_MAX = 0xffff_ffff;
/** How often one list is repeated in one transfer. */
const REPEATS_MAX = 256;

export interface MediumOptions {
  readonly device: BlockDevice;
  readonly submitter: Submitter;
  readonly memory: Memory;
  readonly pages: Allocator<Page>;
  readonly bouncer?: Bouncer;
}

/** A run of logical blocks. */
export interface Extent {
  readonly lba: number;
  readonly blocks: number;
}

/** A block device, counted in its logical blocks. */
export class Medium {
  readonly device: BlockDevice;
  readonly #submitter: Submitter;
  readonly #mapper: RequestMapper;
  readonly #bios: HeapBios;
  readonly #pages: Allocator<Page>;

  constructor({ device, submitter, memory, pages, bouncer }: MediumOptions) {
    this.device = device;
    this.#submitter = submitter;
    this.#pages = pages;
    this.#bios = new HeapBios(memory, "bios of commands");
    const common = { memory, pages, wholeBlocks: true };
    this.#mapper = new RequestMapper(bouncer === undefined ? common : { ...common, bouncer });
  }

  get blockBytes(): Bytes {
    return this.device.queue.limits.logicalBlockBytes;
  }

  get blocks(): number {
    return Math.floor(this.device.sizeSectors / this.#sectorsPerBlock);
  }

  /** Whether all of an extent is there; an empty one may begin at the end. */
  has({ lba, blocks }: Extent): boolean {
    return lba <= this.blocks && blocks <= this.blocks - lba;
  }

  /** Copies that commands work on; 0 when none is under way. */
  get liveCopies(): number {
    return this.#mapper.liveCopies;
  }

  /** Waits: for memory, and until the data is moved. */
  move(
    op: typeof BioOp.Read | typeof BioOp.Write,
    lba: number,
    list: SgList,
    { flags, task }: { readonly flags: BioFlags; readonly task: Task },
  ): Promise<BioStatus> {
    const sector = lba * this.#sectorsPerBlock;
    const transfer = { device: this.device, op, sector, list, flags };
    // Who asks for memory may be asked by it to write: no I/O is started for the sake of this one.
    return transferKernSg(this.#mapper, this.#submitter, transfer, { gfp: GFP_NOIO, task });
  }

  /** Makes durable what was acknowledged. Waits: for that. */
  flush(task: Task): Promise<BioStatus> {
    return this.#send({ op: BioOp.Write, sector: 0, bytes: 0, flags: BioFlag.Preflush }, task);
  }

  /** Tells the device that nobody wants what is there. Waits: until it knows. */
  discard(extent: Extent, task: Task): Promise<BioStatus> {
    return this.#sendAll(BioOp.Discard, extent, 0, task);
  }

  /** Zeroes an extent by the device's own means, which it must have. Waits: until it is zero. */
  zero(extent: Extent, mayUnmap: boolean, task: Task): Promise<BioStatus> {
    const flags = mayUnmap ? 0 : BioFlag.NoUnmap;
    return this.#sendAll(BioOp.WriteZeroes, extent, flags, task);
  }

  /**
   * Writes what lies in `list`, some whole blocks, to an extent, over and over until it is full.
   *
   * Waits: for memory, and until it is there.
   */
  async repeat(list: SgList, { lba, blocks }: Extent, task: Task): Promise<BioStatus> {
    const unitBlocks = totalBytes(list) / this.blockBytes;
    for (let done = 0; done < blocks;) {
      const count = Math.min(REPEATS_MAX * unitBlocks, blocks - done);
      const units = Array.from({ length: Math.ceil(count / unitBlocks) }, () => list).flat();
      const part = cutList(units, 0, count * this.blockBytes);
      const status = await this.move(BioOp.Write, lba + done, part, { flags: 0, task });
      if (status !== BioStatus.Ok) return status;
      done += count;
    }
    return BioStatus.Ok;
  }

  /** Writes zeroes to an extent. Waits: for memory, and until they are there. */
  async repeatZeroes(extent: Extent, task: Task): Promise<BioStatus> {
    const page = await this.#pages.alloc(GFP_NOIO, task);
    if (page === null) return BioStatus.Resource;
    page.bytes.fill(0, 0, PAGE_BYTES);
    // Whole pages suit every device: a copy would wait for pages with this one in hand.
    const status = await this.repeat([{ page, offset: 0, length: PAGE_BYTES }], extent, task);
    this.#pages.free(page);
    return status;
  }

  get #sectorsPerBlock(): Sectors {
    return this.blockBytes / SECTOR_BYTES;
  }

  /** Sends what moves no data, in pieces that the device takes and a bio can name. */
  async #sendAll(
    op: typeof BioOp.Discard | typeof BioOp.WriteZeroes,
    { lba, blocks }: Extent,
    flags: BioFlags,
    task: Task,
  ): Promise<BioStatus> {
    const most = this.#mostBlocks(op);
    for (let done = 0; done < blocks;) {
      const count = Math.min(most, blocks - done);
      const sector = (lba + done) * this.#sectorsPerBlock;
      const status = await this.#send({ op, sector, bytes: count * this.blockBytes, flags }, task);
      if (status !== BioStatus.Ok) return status;
      done += count;
    }
    return BioStatus.Ok;
  }

  #mostBlocks(op: typeof BioOp.Discard | typeof BioOp.WriteZeroes): number {
    const { maxDiscardSectors, maxWriteZeroesSectors } = this.device.queue.limits;
    const mostSectors = op === BioOp.Discard ? maxDiscardSectors : maxWriteZeroesSectors;
    const mostBytes = Math.min(mostSectors * SECTOR_BYTES, RANGE_BYTES_MAX);
    return Math.max(Math.floor(mostBytes / this.blockBytes), 1);
  }

  async #send(
    { op, sector, bytes, flags }: Pick<Bio, "op" | "sector" | "flags"> & { readonly bytes: Bytes },
    task: Task,
  ): Promise<BioStatus> {
    const bio = this.#bios.alloc(GFP_NOIO, 0, task);
    if (bio === null) return BioStatus.Resource;
    bio.device = this.device;
    bio.op = op;
    bio.sector = sector;
    bio.sizeBytes = bytes;
    bio.flags = flags;
    const ended = submitAndWait(this.#submitter, bio, task);
    const status = isPending(ended) ? await ended : ended;
    bio.put();
    return status;
  }
}
