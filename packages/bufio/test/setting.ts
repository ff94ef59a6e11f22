import { Bio, BioFlag, BioOp, BioStatus, type Bytes, createVecs } from "@blkstack/bio";
import type { BlockDevice } from "@blkstack/block";
import { type Faults, RamDisk, type RamDiskOptions } from "@blkstack/disk-ram";
import { MakeRequest, SplitSetPerDevice } from "@blkstack/make-request";
import { Memory, type MemoryOptions } from "@blkstack/memory";
import type { Scheduler, Task } from "@blkstack/task";
import {
  BufioCaches,
  type BufioCachesOptions,
  BufioClient,
  type BufioClientOptions,
  type CachedBlock,
} from "../src/index.ts";

export const BLOCK_BYTES: Bytes = 4096;
const BLOCK_SECTORS = BLOCK_BYTES / 512;

/** Lets bios pass unless told, and writes them down: `READ 7`, `WRITE 3`, `FLUSH`; of blocks. */
class Watching implements Faults {
  readonly seen: string[] = [];
  /** How the next bios of this operation end. */
  readonly fails = new Map<BioOp, BioStatus>();

  statusOf(bio: Bio): BioStatus {
    const where = String(bio.sector / BLOCK_SECTORS);
    if ((bio.flags & BioFlag.Preflush) !== 0) this.seen.push("FLUSH");
    else if (bio.op === BioOp.Read) this.seen.push(`READ ${where}`);
    else this.seen.push(`WRITE ${where}`);
    return this.fails.get(bio.op) ?? BioStatus.Ok;
  }
}

export interface SettingOptions {
  readonly memory?: Omit<MemoryOptions, "scheduler">;
  readonly caches?: BufioCachesOptions;
  readonly disk?: Partial<RamDiskOptions>;
}

/** A disk of 1024 blocks, and everything that a client stands on. */
export class Setting {
  readonly scheduler: Scheduler;
  readonly memory: Memory;
  readonly submitter: MakeRequest;
  readonly caches: BufioCaches;
  readonly watching = new Watching();
  readonly disk: RamDisk;

  constructor(scheduler: Scheduler, options: SettingOptions = {}) {
    this.scheduler = scheduler;
    const memory = new Memory({ scheduler, ...options.memory });
    this.memory = memory;
    this.submitter = new MakeRequest({ split: new SplitSetPerDevice({ scheduler, memory }) });
    this.caches = new BufioCaches(scheduler, { maxAgeMs: Infinity, ...options.caches });
    this.disk = new RamDisk({
      name: "disk",
      sizeSectors: 1024 * BLOCK_SECTORS,
      scheduler,
      hasVolatileCache: true,
      faults: this.watching,
      ...options.disk,
    });
  }

  client(options: Partial<BufioClientOptions> = {}): BufioClient {
    const { scheduler, memory, submitter, caches, disk: device } = this;
    const parts = { scheduler, memory, submitter, caches, device };
    return new BufioClient({ name: "c", ...parts, blockBytes: BLOCK_BYTES, ...options });
  }

  /** A bio for the first block of a device. */
  bio(device: BlockDevice, op: BioOp, ended: () => void): Bio {
    const bio = new Bio();
    bio.device = device;
    bio.op = op;
    bio.vecs = createVecs(1);
    bio.vecMax = 1;
    bio.addPage({ bytes: new Uint8Array(BLOCK_BYTES), frame: 0 }, BLOCK_BYTES, 0);
    bio.endIo = ended;
    return bio;
  }

  /** The first byte of a block on the disk. */
  onDisk(block: number): number {
    const bytes = new Uint8Array(BLOCK_BYTES);
    this.disk.peek(block * BLOCK_SECTORS, bytes);
    return bytes[0] ?? -1;
  }

  putOnDisk(block: number, byte: number): void {
    this.disk.poke(block * BLOCK_SECTORS, new Uint8Array(BLOCK_BYTES).fill(byte));
  }
}

/** Asks for a block that there must be. Waits: as `read`. */
export async function readBlock(
  client: BufioClient,
  block: number,
  task: Task,
): Promise<CachedBlock> {
  return granted(await client.read(block, task));
}

/** Makes a block full of `byte`, dirty and let go of. Waits: as `new`. */
export async function stamp(
  client: BufioClient,
  block: number,
  byte: number,
  task: Task,
): Promise<void> {
  const buffer = granted(await client.new(block, task));
  buffer.data.fill(byte);
  client.markDirty(buffer);
  client.release(buffer, task);
}

/** What all of a block is full of; -1: of several things. Waits: as `read`. */
export async function fillOf(client: BufioClient, block: number, task: Task): Promise<number> {
  const buffer = await readBlock(client, block, task);
  const [first = -1] = buffer.data;
  const isFull = buffer.data.every((byte) => byte === first);
  client.release(buffer, task);
  return isFull ? first : -1;
}

function granted(answer: CachedBlock | BioStatus): CachedBlock {
  if (typeof answer === "number") throw new Error(`no block: status ${String(answer)}`);
  return answer;
}
