import { type BlockDevice, BlockError, type QueueLimits, type TargetType } from "@blkstack/block";
import { DeviceMapper, TargetRegistry } from "@blkstack/device-mapper";
import { RamDisk } from "@blkstack/disk-ram";
import { MakeRequest, SplitSetPerDevice } from "@blkstack/make-request";
import { Memory } from "@blkstack/memory";
import type { Scheduler } from "@blkstack/task";
import type { GoldenCase } from "./case-file.ts";
import { OWN_LOG_LINES } from "./deviations.ts";
import { initialContent } from "./image.ts";
import { TargetLog } from "./kernel-log.ts";

/** What the disks of the recordings said of themselves: virtio disks, 512-byte sectors. */
const VIRTIO_LIMITS: Partial<QueueLimits> = {
  maxSectors: 2560,
  maxHwSectors: 2560,
  maxSegments: 254,
  maxDiscardSectors: 4_194_303,
  maxWriteZeroesSectors: 4_194_303,
  hasFua: false,
  hasVolatileCache: true,
};

const DISK_MAJOR = 254;
const MINORS_PER_DISK = 16;

/** A disk with the number that tables show. */
export class NumberedDisk extends RamDisk {
  readonly deviceNumber: string;

  constructor(dev: string, content: Uint8Array, scheduler: Scheduler) {
    const name = dev.replace(/^\/dev\//, "");
    super({ name, sizeSectors: content.length / 512, scheduler, limits: VIRTIO_LIMITS });
    const letter = name.charCodeAt(name.length - 1) - "a".charCodeAt(0);
    this.deviceNumber = `${String(DISK_MAJOR)}:${String(letter * MINORS_PER_DISK)}`;
    this.poke(0, content);
  }

  /** Writes at a byte, behind the back of the queue. */
  pokeBytes(offsetBytes: number, bytes: Uint8Array): void {
    const content = this.content();
    content.set(bytes, offsetBytes);
    this.poke(0, content);
  }

  /** All that the disk holds. */
  content(): Uint8Array {
    const bytes = new Uint8Array(this.sizeSectors * 512);
    this.peek(0, bytes);
    return bytes;
  }
}

/** The disks of a case, by their role. They outlive the boots. */
export type Disks = ReadonlyMap<string, NumberedDisk>;

export async function createDisks(golden: GoldenCase, scheduler: Scheduler): Promise<Disks> {
  const disks = new Map<string, NumberedDisk>();
  for (const [role, disk] of Object.entries(golden.disks)) {
    const content = await initialContent(golden.directory, disk);
    disks.set(role, new NumberedDisk(disk.dev, content, scheduler));
  }
  return disks;
}

/** One boot: the disks, and a device mapper that knows nothing yet. */
export class Machine {
  readonly scheduler: Scheduler;
  readonly submitter: MakeRequest;
  readonly dm: DeviceMapper;
  /** What its targets have told. */
  readonly log = new TargetLog(OWN_LOG_LINES);
  readonly #disks: readonly NumberedDisk[];

  constructor(disks: Disks, types: readonly TargetType[], scheduler: Scheduler) {
    this.scheduler = scheduler;
    this.#disks = [...disks.values()];
    const memory = new Memory({ scheduler });
    this.submitter = new MakeRequest({ split: new SplitSetPerDevice({ scheduler, memory }) });
    this.dm = new DeviceMapper({
      scheduler,
      memory,
      submitter: this.submitter,
      registry: new TargetRegistry(types),
      lookup: (name) => this.#lookup(name),
      onLog: (line) => {
        this.log.tell(line);
      },
    });
  }

  /** What a path names, or null. */
  find(dev: string): BlockDevice | null {
    const disk = this.#disks.find(({ name }) => `/dev/${name}` === dev);
    if (disk !== undefined) return disk;
    const mapped = dev.replace(/^\/dev\/mapper\//, "");
    return mapped === dev ? null : (this.dm.list().find(({ name }) => name === mapped) ?? null);
  }

  #lookup(name: string): BlockDevice {
    const disk = this.#disks.find((each) => {
      return each.deviceNumber === name || `/dev/${each.name}` === name;
    });
    if (disk !== undefined) return disk;
    const errno = /^\d+:\d+$/.test(name) ? "ENXIO" : "ENODEV";
    throw new BlockError("BLK_DEVICE", errno, `there is no block device "${name}"`);
  }
}
