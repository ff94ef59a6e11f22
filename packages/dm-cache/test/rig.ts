import { Bio, BioFlag, BioOp, type BioStatus, createVecs, SECTOR_BYTES } from "@blkstack/bio";
import { type BlockDevice, BlockError } from "@blkstack/block";
import { DeviceMapper, TargetRegistry } from "@blkstack/device-mapper";
import { MakeRequest, SplitSetPerDevice, submitAndWait } from "@blkstack/make-request";
import { Memory, type MemoryOptions } from "@blkstack/memory";
import type { Scheduler, Task } from "@blkstack/task";
import { cache } from "../src/index.ts";

/** A device mapper that knows the cache, the disks under it, and who sends bios. */
export class Rig {
  readonly memory: Memory;
  readonly submitter: MakeRequest;
  readonly dm: DeviceMapper;
  /** What targets had to say. */
  readonly lines: string[] = [];
  readonly #disks = new Map<string, BlockDevice>();

  constructor(scheduler: Scheduler, options: Omit<MemoryOptions, "scheduler"> = {}) {
    const memory = new Memory({ scheduler, ...options });
    this.memory = memory;
    this.submitter = new MakeRequest({ split: new SplitSetPerDevice({ scheduler, memory }) });
    this.dm = new DeviceMapper({
      scheduler,
      memory,
      submitter: this.submitter,
      registry: new TargetRegistry([cache]),
      lookup: (name) => this.#find(name),
      onLog: (line) => this.lines.push(line),
    });
  }

  add<Disk extends BlockDevice>(disk: Disk): Disk {
    this.#disks.set(disk.name, disk);
    return disk;
  }

  /** A bio for the device `c`. */
  bio(op: BioOp, sector: number, bytes: Uint8Array, flags = 0): Bio {
    const bio = new Bio();
    bio.device = this.dm.get("c");
    bio.op = op;
    bio.sector = sector;
    bio.flags = flags;
    if (op === BioOp.Read || op === BioOp.Write) {
      bio.vecs = createVecs(1);
      bio.vecMax = 1;
      if (bytes.length > 0) bio.addPage({ bytes, frame: 0 }, bytes.length, 0);
    } else {
      bio.sizeBytes = bytes.length;
    }
    return bio;
  }

  send(bio: Bio, task: Task): Promise<BioStatus> | BioStatus {
    return submitAndWait(this.submitter, bio, task);
  }

  /** Fills sectors with a byte. */
  write(
    sector: number,
    sectors: number,
    byte: number,
    task: Task,
    flags = 0,
  ): Promise<BioStatus> | BioStatus {
    const bytes = new Uint8Array(sectors * SECTOR_BYTES).fill(byte);
    return this.send(this.bio(BioOp.Write, sector, bytes, flags), task);
  }

  /** What each sector is full of; -1: of several things, or not read. */
  async read(sector: number, sectors: number, task: Task): Promise<number[]> {
    const bytes = new Uint8Array(sectors * SECTOR_BYTES).fill(0xee);
    const status = await this.send(this.bio(BioOp.Read, sector, bytes), task);
    return Array.from({ length: sectors }, (_, index) => {
      const part = bytes.subarray(index * SECTOR_BYTES, (index + 1) * SECTOR_BYTES);
      const [first = -1] = part;
      return status === 0 && part.every((byte) => byte === first) ? first : -1;
    });
  }

  range(op: BioOp, sector: number, sectors: number, task: Task): Promise<BioStatus> | BioStatus {
    return this.send(this.bio(op, sector, new Uint8Array(sectors * SECTOR_BYTES)), task);
  }

  flush(task: Task): Promise<BioStatus> | BioStatus {
    const nothing = new Uint8Array(0);
    return this.send(this.bio(BioOp.Write, 0, nothing, BioFlag.Preflush), task);
  }

  #find(name: string): BlockDevice {
    const disk = this.#disks.get(name);
    if (disk !== undefined) return disk;
    throw new BlockError("BLK_DEVICE", "ENODEV", `there is no device "${name}"`);
  }
}
