import { Bio, BioFlag, BioOp, BioStatus, createVecs, SECTOR_BYTES } from "@blkstack/bio";
import { type BlockDevice, BlockError, type TargetType } from "@blkstack/block";
import { DeviceMapper, TargetRegistry } from "@blkstack/device-mapper";
import { RamDisk } from "@blkstack/disk-ram";
import { MakeRequest, SplitSetPerDevice } from "@blkstack/make-request";
import { Memory } from "@blkstack/memory";
import { Completion, type Scheduler, type Task } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";

/** One bio that a test has sent. */
export interface Sent {
  readonly bio: Bio;
  readonly bytes: Uint8Array;
  /** Null: it is still under way. */
  status: BioStatus | null;
  /** When it ended, in ms of the scheduler's clock. */
  endedMs: number;
}

export interface Range {
  readonly sector: number;
  readonly sectors: number;
}

/** How the disks of a rig are made. */
export interface DiskOptions {
  /** 1000 each unless told. */
  readonly sizeSectors?: number;
  readonly logSectors?: number;
  readonly blockBytes?: number;
}

/** A disk that tables call by a number. */
class NumberedDisk extends RamDisk {
  readonly deviceNumber: string;

  constructor(
    name: string,
    deviceNumber: string,
    scheduler: Scheduler,
    { sizeSectors = 1000, blockBytes = SECTOR_BYTES }: DiskOptions,
  ) {
    const limits = {
      logicalBlockBytes: blockBytes,
      physicalBlockBytes: blockBytes,
      ioMinBytes: blockBytes,
      discardGranularityBytes: blockBytes,
    };
    super({ name, sizeSectors, scheduler, limits, hasVolatileCache: true });
    this.deviceNumber = deviceNumber;
  }
}

/** Two disks, a device mapper that knows one type of target, and who sends bios. */
export class Rig<AScheduler extends Scheduler = Scheduler> {
  readonly scheduler: AScheduler;
  readonly memory: Memory;
  readonly submitter: MakeRequest;
  readonly dm: DeviceMapper;
  readonly a: RamDisk;
  readonly b: RamDisk;
  /** What targets had to say. */
  readonly lines: string[] = [];

  constructor(scheduler: AScheduler, type: TargetType, options: DiskOptions = {}) {
    this.scheduler = scheduler;
    this.memory = new Memory({ scheduler });
    const { memory } = this;
    this.a = new NumberedDisk("a", "7:0", scheduler, options);
    const { logSectors = 1000 } = options;
    this.b = new NumberedDisk("b", "7:16", scheduler, { ...options, sizeSectors: logSectors });
    this.submitter = new MakeRequest({ split: new SplitSetPerDevice({ scheduler, memory }) });
    this.dm = new DeviceMapper({
      scheduler,
      memory,
      submitter: this.submitter,
      registry: new TargetRegistry([type]),
      lookup: (name) => this.#find(name),
      onLog: (line) => this.lines.push(line),
    });
  }

  /** A bio for the device `md` that is not sent yet. Writes fill each byte with `byte`. */
  bio(op: BioOp, { sector, sectors }: Range, byte = 0, flags = 0): Sent {
    const bytes = new Uint8Array(sectors * SECTOR_BYTES).fill(byte);
    const bio = new Bio();
    bio.device = this.dm.get("md");
    bio.op = op;
    bio.flags = flags;
    bio.sector = sector;
    if (op !== BioOp.Read && op !== BioOp.Write) {
      bio.sizeBytes = bytes.length;
    } else if (sectors > 0) {
      bio.vecs = createVecs(1);
      bio.vecMax = 1;
      bio.addPage({ bytes, frame: 0 }, bytes.length, 0);
    } else {
      bio.flags |= BioFlag.Preflush;
    }
    const sent: Sent = { bio, bytes, status: null, endedMs: NaN };
    bio.endIo = ({ status }) => {
      sent.status = status;
      sent.endedMs = this.scheduler.clock.nowMs();
    };
    return sent;
  }

  /** Sends a bio. Waits: until it has ended. */
  async send(sent: Sent, task: Task): Promise<BioStatus> {
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

/** A rig in virtual time, for tests that tell a story step by step. */
export class Bench extends Rig<VirtualScheduler> {
  constructor(type: TargetType, options?: DiskOptions) {
    super(new VirtualScheduler(), type, options);
  }

  perform<T>(body: (task: Task) => Promise<T>): Promise<T> {
    return this.scheduler.perform("commands", body);
  }

  /** Makes the device `md` and goes live with it. */
  async create(...lines: string[]): Promise<void> {
    await this.perform((task) => this.dm.create("md", task, { table: lines.join("\n") }));
  }

  /** The message that a table is refused with. */
  refusal(...lines: string[]): Promise<string> {
    return this.perform((task) =>
      this.dm.create("md", task, { table: lines.join("\n") }).then(
        () => "taken",
        (error: unknown) => (error as Error).message,
      ),
    );
  }

  message(...words: string[]): Promise<string> {
    return this.perform((task) => this.dm.message("md", 0, words, task));
  }

  /** Sends a bio in a task of its own, and runs until nothing moves; no time passes. */
  async start(op: BioOp, range: Range, byte = 0, flags = 0): Promise<Sent> {
    const sent = this.bio(op, range, byte, flags);
    this.scheduler.spawn("sender", (task) => this.submitter.submitBio(sent.bio, task));
    await this.scheduler.run();
    return sent;
  }

  /** How a write of one byte over and over ended; null: it has not. */
  async write(sector: number, sectors: number, byte: number): Promise<BioStatus | null> {
    return (await this.start(BioOp.Write, { sector, sectors }, byte)).status;
  }

  /** The first byte of each sector that was read; null: that failed, or has not ended. */
  async read(sector: number, sectors: number): Promise<number[] | null> {
    const sent = await this.start(BioOp.Read, { sector, sectors }, 0xee);
    return sent.status === BioStatus.Ok ? firstBytes(sent.bytes) : null;
  }

  async flush(): Promise<BioStatus | null> {
    return (await this.start(BioOp.Write, { sector: 0, sectors: 0 })).status;
  }

  async discard(sector: number, sectors: number): Promise<BioStatus | null> {
    return (await this.start(BioOp.Discard, { sector, sectors })).status;
  }

  /** The status of the device, without the place: `0 1 0`. */
  status(): string {
    const text = this.dm.status("md").join("; ");
    return text.replace(/^\d+ \d+ [\w-]+ /, "");
  }

  table(): string {
    return this.dm.table("md").join("; ");
  }
}

/** The first byte of each sector of a disk. */
export function bytesOn(disk: RamDisk, { sector, sectors }: Range): number[] {
  const bytes = new Uint8Array(sectors * SECTOR_BYTES);
  disk.peek(sector, bytes);
  return firstBytes(bytes);
}

function firstBytes(bytes: Uint8Array): number[] {
  const count = bytes.length / SECTOR_BYTES;
  return Array.from({ length: count }, (_, index) => bytes[index * SECTOR_BYTES] ?? NaN);
}
