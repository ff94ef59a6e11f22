import { Bio, BioFlag, BioOp, BioStatus, createVecs, SECTOR_BYTES } from "@blkstack/bio";
import { type BlockDevice, BlockError } from "@blkstack/block";
import { DeviceMapper, type DeviceMapperOptions, TargetRegistry } from "@blkstack/device-mapper";
import { MakeRequest, SplitSetPerDevice } from "@blkstack/make-request";
import { Memory } from "@blkstack/memory";
import { Completion, type Scheduler, type Task } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { type SnapshotPolicies, snapshotTargets } from "../src/index.ts";
import { LateDisk } from "./late-disk.ts";

/** One bio that a test has sent. */
export interface Sent {
  readonly bio: Bio;
  readonly bytes: Uint8Array;
  /** Null: it is still under way. */
  status: BioStatus | null;
  /** How often it ended; 1 is right. */
  ends: number;
}

export interface Range {
  readonly sector: number;
  readonly sectors: number;
}

/** Disks, a device mapper that knows the snapshot targets, and who sends bios. */
export class Rig<AScheduler extends Scheduler = Scheduler> {
  readonly scheduler: AScheduler;
  readonly memory: Memory;
  readonly submitter: MakeRequest;
  readonly dm: DeviceMapper;
  /** What targets had to say. */
  readonly lines: string[] = [];
  readonly #disks = new Map<string, BlockDevice>();

  constructor(
    scheduler: AScheduler,
    policies: Partial<SnapshotPolicies> = {},
    options: Partial<DeviceMapperOptions> = {},
  ) {
    this.scheduler = scheduler;
    this.memory = new Memory({ scheduler });
    const { memory } = this;
    this.submitter = new MakeRequest({ split: new SplitSetPerDevice({ scheduler, memory }) });
    const { snapshot, snapshotMerge, snapshotOrigin } = snapshotTargets(policies);
    this.dm = new DeviceMapper({
      scheduler,
      memory,
      submitter: this.submitter,
      registry: new TargetRegistry([snapshot, snapshotMerge, snapshotOrigin]),
      lookup: (name) => this.#find(name),
      onLog: (line) => this.lines.push(line),
      ...options,
    });
  }

  disk(name: string, sizeSectors: number): LateDisk {
    const disk = new LateDisk(name, sizeSectors, this.scheduler, { minor: this.#disks.size });
    this.#disks.set(name, disk);
    return disk;
  }

  /** A bio that is not sent yet. Writes fill each sector with `byte`. */
  bio(device: BlockDevice, op: BioOp, { sector, sectors }: Range, byte = 0): Sent {
    const bytes = new Uint8Array(sectors * SECTOR_BYTES).fill(byte);
    const bio = new Bio();
    bio.device = device;
    bio.op = op;
    bio.sector = sector;
    if (op === BioOp.Read || op === BioOp.Write) {
      bio.vecs = createVecs(1);
      bio.vecMax = 1;
      if (sectors > 0) bio.addPage({ bytes, frame: 0 }, bytes.length, 0);
      else bio.flags = BioFlag.Preflush;
    } else {
      bio.sizeBytes = bytes.length;
    }
    const sent: Sent = { bio, bytes, status: null, ends: 0 };
    bio.endIo = ({ status }) => {
      sent.ends += 1;
      sent.status = status;
    };
    return sent;
  }

  /** Sends a bio. Waits: until it has ended. */
  async send(sent: Sent, task: Task): Promise<BioStatus> {
    const { bio } = sent;
    const end = new Completion("end of a bio", {
      scheduler: this.scheduler,
      blockers: () => [bio],
    });
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

/** A rig in virtual time, for tests that tell a story step by step. */
export class Bench extends Rig<VirtualScheduler> {
  constructor(policies: Partial<SnapshotPolicies> = {}) {
    super(new VirtualScheduler({ isExploring: false }), policies);
  }

  perform<T>(body: (task: Task) => Promise<T>): Promise<T> {
    return this.scheduler.perform("commands", body);
  }

  /** Makes a device and goes live with it. */
  async create(name: string, table: string): Promise<void> {
    await this.perform((task) => this.dm.create(name, task, { table }));
  }

  /** Gives a device another table and goes live with that. */
  async reload(name: string, table: string): Promise<void> {
    await this.perform(async (task) => {
      await this.dm.load(name, table, task);
      await this.dm.suspend(name, task);
      await this.dm.resume(name, task);
    });
  }

  /** Sends a bio in a task of its own, and runs until nothing moves. */
  async start(name: string, op: BioOp, range: Range, byte = 0): Promise<Sent> {
    const sent = this.bio(this.dm.get(name), op, range, byte);
    this.scheduler.spawn("sender", (task) => this.submitter.submitBio(sent.bio, task));
    await this.scheduler.run();
    return sent;
  }

  /** Writes, and answers how that ended. */
  async write(name: string, sector: number, sectors: number, byte: number): Promise<BioStatus> {
    const sent = await this.start(name, BioOp.Write, { sector, sectors }, byte);
    return endOf(sent);
  }

  /** Reads, and answers what each sector was filled with; null: it failed. */
  async read(name: string, sector: number, sectors: number): Promise<number[] | null> {
    const sent = await this.start(name, BioOp.Read, { sector, sectors }, 0xee);
    return endOf(sent) === BioStatus.Ok ? fillOf(sent) : null;
  }

  async discard(name: string, sector: number, sectors: number): Promise<BioStatus> {
    return endOf(await this.start(name, BioOp.Discard, { sector, sectors }));
  }

  /** The status of a device, without the place: `24/1024 16`. */
  status(name: string): string {
    return this.dm
      .status(name)
      .join("; ")
      .replace(/^\d+ \d+ [\w-]+ /, "");
  }

  /** A number of what the message `stats` answers. */
  async stat(name: string, what: string): Promise<number> {
    const text = await this.perform((task) => this.dm.message(name, 0, ["stats"], task));
    return Number(new RegExp(`(?:^| )${what} (\\S+)`).exec(text)?.[1]);
  }
}

/** How a bio ended; throws when it has not, or more than once. */
export function endOf({ status, ends, bio }: Sent): BioStatus {
  if (ends !== 1 || status === null)
    throw new Error(`${bio.toString()} ended ${String(ends)} times`);
  return status;
}

/** What each sector of a bio is filled with; throws when a sector is torn. */
export function fillOf({ bytes }: Sent): number[] {
  return Array.from({ length: bytes.length / SECTOR_BYTES }, (_, index) => {
    const sector = bytes.subarray(index * SECTOR_BYTES, (index + 1) * SECTOR_BYTES);
    const byte = sector[0] ?? 0;
    if (sector.some((other) => other !== byte)) throw new Error(`sector ${String(index)} is torn`);
    return byte;
  });
}
