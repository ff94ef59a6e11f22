import { Bio, BioOp, bioEndio, PAGE_BYTES } from "@blkstack/bio";
import type { Submitter } from "@blkstack/block";
import type { World } from "@blkstack/explorer";
import { Memory, PerCpuAllocator } from "@blkstack/memory";
import type { Task } from "@blkstack/task";
import {
  type GroupLimits,
  Throttle,
  type ThrottleOptions,
  type ThrottlePort,
} from "@blkstack/throttle";

/** So many that the statistics of each group take a page of their own. */
const CPUS = 8;

/** A disk that ends each bio at once. */
const FAST: Submitter = { submitBio: bioEndio };

export interface TenantOptions extends Pick<
  ThrottleOptions,
  "statsAlloc" | "chooseGroup" | "accounting"
> {
  /** One in which nothing is counted, unless told. */
  readonly memory?: Memory;
  readonly limits?: Partial<GroupLimits>;
  /** Where bios go; to a fast disk unless told. */
  readonly submitter?: Submitter;
}

/** A group that has not sent a bio yet, and the per-cpu memory of the whole system. */
export class Tenant {
  readonly memory: Memory;
  readonly perCpu: PerCpuAllocator;
  readonly throttle: Throttle;
  readonly port: ThrottlePort;

  constructor(world: World, options: TenantOptions = {}) {
    const { scheduler } = world;
    const { memory, limits = {}, submitter = FAST, ...policies } = options;
    this.memory = memory ?? new Memory({ scheduler });
    this.perCpu = new PerCpuAllocator({ memory: this.memory, cpus: CPUS });
    const parts = { scheduler, memory: this.memory, submitter, statsMemory: this.perCpu };
    this.throttle = new Throttle({ ...parts, ...policies });
    this.throttle.addGroup("tenant", { limits });
    this.port = this.throttle.openPort("tenant");
    world.atEnd(() => {
      const { heldCount } = this.throttle;
      const left = this.perCpu.liveCount;
      return [
        ...(left > 0 ? [`${String(left)} blocks of per-cpu memory are lost`] : []),
        ...(heldCount > 0 ? [`${String(heldCount)} bios still wait`] : []),
      ];
    });
  }

  /** Sends a write to the fast disk, which calls `onEnd`. Waits: until the bio was sent, or is held. */
  async write(task: Task, onEnd: () => void): Promise<void> {
    const bio = aWrite();
    bio.endIo = onEnd;
    if (!(await this.port.throttle(bio, task))) bioEndio(bio);
  }

  /** Ends the group and the throttle. Waits: until nobody has to do with either any more. */
  async end(task: Task): Promise<void> {
    await this.port.close(task);
    this.throttle.removeGroup("tenant");
    await this.throttle.stop(task);
  }
}

/** A page to be written. */
export function aWrite(): Bio {
  const bio = new Bio();
  bio.op = BioOp.Write;
  bio.sizeBytes = PAGE_BYTES;
  bio.vecs = [
    { page: { bytes: new Uint8Array(PAGE_BYTES), frame: 0 }, offset: 0, length: PAGE_BYTES },
  ];
  bio.vecCount = 1;
  return bio;
}
