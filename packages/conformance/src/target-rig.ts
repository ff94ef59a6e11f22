import { type BioOp, BioStatus } from "@blkstack/bio";
import { type BlockDevice, BlockError, type TargetType } from "@blkstack/block";
import { DeviceMapper, TargetRegistry } from "@blkstack/device-mapper";
import { MakeRequest, SplitSetPerDevice } from "@blkstack/make-request";
import { Memory } from "@blkstack/memory";
import { Completion, type Scheduler, type Task } from "@blkstack/task";
import { BenchDisk } from "./bench-disk.ts";
import { type BioContents, bioFor, type Range, type SentBio } from "./sent-bio.ts";

/** Sectors of each disk, unless told. */
const SIZE_SECTORS = 1000;

/** What services are made of. */
export interface RigParts {
  readonly scheduler: Scheduler;
  readonly memory: Memory;
  readonly submitter: MakeRequest;
}

export interface TargetRigOptions {
  /** What tables may name. */
  readonly types: readonly TargetType[];
  /** What targets find by its class, beside the memory. */
  readonly services?: (parts: RigParts) => readonly object[];
  /** Of each of the two disks. Default: 1000. */
  readonly sizeSectors?: number;
}

/** Two disks, `a` and `b`, a device mapper that knows some targets, and who sends bios to `md`. */
export class TargetRig<AScheduler extends Scheduler = Scheduler> {
  readonly scheduler: AScheduler;
  readonly memory: Memory;
  readonly submitter: MakeRequest;
  readonly dm: DeviceMapper;
  readonly a: BenchDisk;
  readonly b: BenchDisk;
  /** What targets had to say. */
  readonly lines: string[] = [];

  constructor(scheduler: AScheduler, options: TargetRigOptions) {
    const { types, services, sizeSectors = SIZE_SECTORS } = options;
    this.scheduler = scheduler;
    this.memory = new Memory({ scheduler });
    const { memory } = this;
    this.a = new BenchDisk({ name: "a", deviceNumber: "7:0", sizeSectors, scheduler });
    this.b = new BenchDisk({ name: "b", deviceNumber: "7:16", sizeSectors, scheduler });
    this.submitter = new MakeRequest({ split: new SplitSetPerDevice({ scheduler, memory }) });
    this.dm = new DeviceMapper({
      scheduler,
      memory,
      submitter: this.submitter,
      registry: new TargetRegistry(types),
      lookup: (name) => this.#find(name),
      ...(services && { services: services(this) }),
      onLog: (line) => this.lines.push(line),
    });
  }

  /** A bio for the device `md` that is not sent yet. */
  bio(op: BioOp, range: Range, contents?: BioContents): SentBio {
    return bioFor({ device: this.dm.get("md"), scheduler: this.scheduler }, op, range, contents);
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
    const disk = [this.a, this.b].find((each) => each.name === name);
    if (disk !== undefined) return disk;
    throw new BlockError("BLK_DEVICE", "ENODEV", `there is no device "${name}"`);
  }
}
