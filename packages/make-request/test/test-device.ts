import { Bio, bioEndio, BioFlag, BioOp, BioStatus, statusName } from "@blkstack/bio";
import {
  type BlockDevice,
  defaultLimits,
  type Partition,
  type QueueLimits,
  RequestQueue,
} from "@blkstack/block";
import type { Awaitable, Task, Waitable } from "@blkstack/task";

export type Driver = (bio: Bio, task: Task) => Awaitable<void>;

export interface TestDeviceOptions {
  readonly limits?: Partial<QueueLimits>;
  readonly sizeSectors?: number;
  readonly isReadOnly?: boolean;
  readonly partitions?: readonly Partition[];
}

/** A device whose driver the test writes; it remembers what it was given. */
export class TestDevice implements BlockDevice {
  readonly name: string;
  readonly sizeSectors: number;
  readonly isReadOnly: boolean;
  readonly partitions: readonly Partition[];
  readonly queue: RequestQueue;
  /** What the driver was given, in order, as text. */
  readonly seen: string[] = [];
  driver: Driver;

  constructor(name: string, driver: Driver = endAtOnce, options: TestDeviceOptions = {}) {
    this.name = name;
    this.driver = driver;
    this.sizeSectors = options.sizeSectors ?? 0;
    this.isReadOnly = options.isReadOnly ?? false;
    this.partitions = options.partitions ?? [];
    this.queue = new RequestQueue(name, {
      ...defaultLimits(),
      canNoWait: true,
      ...options.limits,
    });
  }

  submitBio(bio: Bio, task: Task): Awaitable<void> {
    this.seen.push(bio.toString());
    return this.driver(bio, task);
  }
}

export function endAtOnce(bio: Bio): void {
  bioEndio(bio);
}

/** How bios ended: `x OK`, in the order in which they did. */
export class Ends {
  readonly log: string[] = [];

  /** Notes the end of `bio` under this name. */
  watch(bio: Bio, name: string): Bio {
    bio.endIo = (ended) => {
      this.log.push(`${name} ${ended.status === BioStatus.Ok ? "OK" : statusName(ended.status)}`);
    };
    return bio;
  }
}

export interface BioWish {
  readonly op?: BioOp;
  readonly sector?: number;
  readonly sectors?: number;
  readonly flags?: number;
  readonly partition?: number;
}

/** A bio with real vectors, of one page each. Data unless told: a write of one page. */
export function bioFor(device: BlockDevice, wish: BioWish = {}): Bio {
  const { op = BioOp.Write, sector = 0, sectors = 8, flags = 0, partition = 0 } = wish;
  const bio = new Bio();
  bio.device = device;
  bio.op = op;
  bio.sector = sector;
  bio.sizeBytes = sectors * 512;
  bio.flags = flags;
  bio.partition = partition;
  const isEmptyTable = op !== BioOp.Read && op !== BioOp.Write;
  if (!isEmptyTable) {
    bio.vecs = [];
    for (let left = bio.sizeBytes; left > 0; left -= 4096) {
      const page = { bytes: new Uint8Array(0), frame: bio.vecs.length * 2 };
      bio.vecs.push({ page, offset: 0, length: Math.min(left, 4096) });
    }
    bio.vecCount = bio.vecs.length;
  }
  return bio;
}

export function emptyFlush(device: BlockDevice): Bio {
  return bioFor(device, { sectors: 0, flags: BioFlag.Preflush });
}

/** Something to sleep on until the test says so. */
export class Gate implements Waitable {
  readonly label: string;
  readonly #sleepers: Task[] = [];
  #isOpen = false;

  constructor(label = "gate") {
    this.label = label;
  }

  blockers(): readonly object[] {
    return [];
  }

  open(): void {
    this.#isOpen = true;
    for (const task of this.#sleepers.splice(0)) task.scheduler.wake(task);
  }

  async pass(task: Task): Promise<void> {
    while (!this.#isOpen) {
      this.#sleepers.push(task);
      await task.scheduler.sleep(task, this);
    }
  }
}
