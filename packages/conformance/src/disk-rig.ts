import { type BioOp, BioStatus } from "@blkstack/bio";
import { type BlockDevice, BlockError, type TargetType } from "@blkstack/block";
import { DeviceMapper, type DeviceMapperOptions, TargetRegistry } from "@blkstack/device-mapper";
import { MakeRequest, SplitSetPerDevice } from "@blkstack/make-request";
import { Memory, type MemoryOptions } from "@blkstack/memory";
import { Completion, type Scheduler, type Task } from "@blkstack/task";
import { type BioContents, bioFor, type Range, type SentBio } from "./sent-bio.ts";

/** What services are made of. */
export interface RigParts {
  readonly scheduler: Scheduler;
  readonly memory: Memory;
  readonly submitter: MakeRequest;
}

export interface DiskRigOptions {
  /** What tables may name. */
  readonly types: readonly TargetType[];
  /** What targets find by its class, beside the memory. */
  readonly services?: (parts: RigParts) => readonly object[];
  /** What the device mapper does otherwise than usual. */
  readonly mapper?: Partial<DeviceMapperOptions>;
  /** What the memory is otherwise than endless. */
  readonly memory?: Omit<MemoryOptions, "scheduler">;
}

/** Disks that a test adds, a device mapper over them that knows some targets, and who sends bios. */
export class DiskRig<AScheduler extends Scheduler = Scheduler> {
  readonly scheduler: AScheduler;
  readonly memory: Memory;
  readonly submitter: MakeRequest;
  readonly dm: DeviceMapper;
  /** What targets had to say. */
  readonly lines: string[] = [];
  readonly #disks = new Map<string, BlockDevice>();

  constructor(scheduler: AScheduler, options: DiskRigOptions) {
    const { types, services, mapper = {} } = options;
    this.scheduler = scheduler;
    this.memory = new Memory({ scheduler, ...options.memory });
    const { memory } = this;
    this.submitter = new MakeRequest({ split: new SplitSetPerDevice({ scheduler, memory }) });
    this.dm = new DeviceMapper({
      scheduler,
      memory,
      submitter: this.submitter,
      registry: new TargetRegistry(types),
      lookup: (name) => this.#find(name),
      ...(services && { services: services(this) }),
      onLog: (line) => this.lines.push(line),
      ...mapper,
    });
  }

  /** Has tables know a disk by its name, and by its number if it has one. */
  add<Disk extends BlockDevice & { readonly deviceNumber?: string }>(disk: Disk): Disk {
    this.#disks.set(disk.name, disk);
    if (disk.deviceNumber !== undefined) this.#disks.set(disk.deviceNumber, disk);
    return disk;
  }

  /** A bio that is not sent yet. */
  bioTo(device: BlockDevice, op: BioOp, range: Range, contents?: BioContents): SentBio {
    return bioFor({ device, scheduler: this.scheduler }, op, range, contents);
  }

  /** Sends a bio. Waits: until it has ended. */
  async send(sent: SentBio, task: Task): Promise<BioStatus> {
    const { bio } = sent;
    const blockers = (): readonly object[] => [bio];
    const end = new Completion("end of a bio", { scheduler: this.scheduler, blockers });
    const noted = bio.endIo;
    bio.endIo = (ended) => {
      noted?.(ended);
      end.complete();
    };
    await this.submitter.submitBio(bio, task);
    await end.wait(task);
    return sent.status ?? BioStatus.IoError;
  }

  #find(name: string): BlockDevice {
    const disk = this.#disks.get(name);
    if (disk !== undefined) return disk;
    throw new BlockError("BLK_DEVICE", "ENODEV", `there is no device "${name}"`);
  }
}
