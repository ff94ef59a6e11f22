import { Bio, BioOp, BioStatus, createVecs, SECTOR_BYTES, type Sectors } from "@blkstack/bio";
import type { TargetType } from "@blkstack/block";
import { DeviceMapper, TargetRegistry } from "@blkstack/device-mapper";
import type { RamDisk } from "@blkstack/disk-ram";
import { contentKey } from "@blkstack/explorer";
import { MakeRequest, submitAndWait } from "@blkstack/make-request";
import { Memory } from "@blkstack/memory";
import type { Scheduler, Task } from "@blkstack/task";

export interface MachineOptions {
  readonly scheduler: Scheduler;
  readonly targets: readonly TargetType[];
  readonly origin: RamDisk;
  readonly cow: RamDisk;
  readonly chunkSectors: Sectors;
  /** Of a snapshot, as its table has them. */
  readonly features?: string;
}

export interface BioWish {
  readonly op: BioOp;
  readonly sector: Sectors;
  readonly bytes: Uint8Array;
  readonly flags: number;
}

/** Two disks, and over them the device of an origin, and of its snapshot or its merge. */
export class Machine {
  readonly submitter = new MakeRequest();
  readonly dm: DeviceMapper;
  readonly #options: MachineOptions;

  constructor(options: MachineOptions) {
    const { scheduler, targets, origin, cow } = options;
    this.#options = options;
    const disks = new Map([origin, cow].map((disk) => [disk.name, disk]));
    this.dm = new DeviceMapper({
      scheduler,
      submitter: this.submitter,
      memory: new Memory({ scheduler }),
      registry: new TargetRegistry(targets),
      lookup(name) {
        const disk = disks.get(name);
        if (disk === undefined) throw new RangeError(`no disk ${name}`);
        return disk;
      },
    });
  }

  async createOrigin(task: Task): Promise<void> {
    await this.#create("base", "snapshot-origin origin", task);
  }

  /** Throws what the device mapper throws, for a store that cannot be loaded. */
  async createSnapshot(task: Task, target: "snapshot" | "snapshot-merge"): Promise<void> {
    const { chunkSectors, features = "" } = this.#options;
    await this.#create("snap", `${target} origin cow P ${String(chunkSectors)}${features}`, task);
  }

  /** The `contentKey` of each sector; null where it cannot be read. */
  async readAll(name: string, task: Task): Promise<number[] | null> {
    const bytes = new Uint8Array(this.#options.origin.sizeSectors * SECTOR_BYTES);
    const status = await submitAndWait(
      this.submitter,
      this.bioOf(name, { op: BioOp.Read, sector: 0, bytes, flags: 0 }),
      task,
    );
    if (status !== BioStatus.Ok) return null;
    return Array.from({ length: bytes.length / SECTOR_BYTES }, (_, sector) =>
      contentKey(bytes, sector * SECTOR_BYTES),
    );
  }

  /** A bio over `bytes`, for one of the two devices. */
  bioOf(name: string, { op, sector, bytes, flags }: BioWish): Bio {
    const bio = new Bio(null, null, createVecs(1));
    bio.vecs = bio.inlineVecs;
    bio.vecMax = 1;
    if (bytes.length > 0) bio.addPage({ bytes, frame: 0 }, bytes.length, 0);
    bio.op = op;
    bio.flags = flags;
    bio.device = this.dm.get(name);
    bio.sector = sector;
    return bio;
  }

  async #create(name: string, target: string, task: Task): Promise<void> {
    const size = String(this.#options.origin.sizeSectors);
    await this.dm.create(name, task, { table: `0 ${size} ${target}` });
  }
}
