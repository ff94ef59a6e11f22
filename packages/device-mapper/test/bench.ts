import { type Bio, BioFlag, BioOp, type BioStatus, createVecs, SECTOR_BYTES } from "@blkstack/bio";
import { Bio as NewBio } from "@blkstack/bio";
import { type BlockDevice, BlockError, type Submitter, type TargetType } from "@blkstack/block";
import { MakeRequest } from "@blkstack/make-request";
import { Memory } from "@blkstack/memory";
import type { Task } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { DeviceMapper, type DeviceMapperOptions, TargetRegistry } from "../src/index.ts";
import { ArrayDisk } from "./array-disk.ts";
import { failing, probeType } from "./test-targets.ts";

/** One bio that a test sent, and what became of it. */
export interface Sent {
  readonly bio: Bio;
  readonly bytes: Uint8Array;
  /** How often it ended; 1 is right. */
  ends: number;
  status: BioStatus | null;
}

export interface BenchOptions extends Partial<DeviceMapperOptions> {
  readonly types?: readonly TargetType[];
  readonly scheduler?: VirtualScheduler;
}

/** Two disks, a device mapper over them, and a task that sends bios. */
export class Bench {
  readonly scheduler: VirtualScheduler;
  readonly memory: Memory;
  readonly submitter: Submitter;
  readonly a = new ArrayDisk("a", 64, { deviceNumber: "7:0" });
  readonly b = new ArrayDisk("b", 64, { deviceNumber: "7:16" });
  readonly disks = new Map<string, BlockDevice>([
    ["a", this.a],
    ["b", this.b],
  ]);
  readonly dm: DeviceMapper;

  constructor({ types = [probeType()], ...options }: BenchOptions = {}) {
    this.scheduler = options.scheduler ?? new VirtualScheduler();
    this.memory = options.memory ?? new Memory({ scheduler: this.scheduler });
    this.submitter = options.submitter ?? new MakeRequest();
    this.dm = new DeviceMapper({
      registry: new TargetRegistry([...types, failing]),
      lookup: (name) => this.#find(name),
      ...options,
      submitter: this.submitter,
      scheduler: this.scheduler,
      memory: this.memory,
    });
  }

  /** Runs commands in a task, to their end. */
  perform<T>(body: (task: Task) => Promise<T>): Promise<T> {
    return this.scheduler.perform("commands", body);
  }

  async create(name: string, ...lines: string[]): Promise<void> {
    await this.perform((task) => this.dm.create(name, task, { table: lines.join("\n") }));
  }

  /** Sends a bio in a task of its own, and runs until nothing moves. */
  async send(name: string, op: BioOp, sector: number, sectors: number, flags = 0): Promise<Sent> {
    const sent = this.prepare(name, op, sector, sectors, flags);
    this.scheduler.spawn("sender", (task) => this.submitter.submitBio(sent.bio, task));
    await this.scheduler.run();
    return sent;
  }

  prepare(name: string, op: BioOp, sector: number, sectors: number, flags = 0): Sent {
    const bytes = new Uint8Array(sectors * SECTOR_BYTES);
    const bio = new NewBio();
    bio.device = this.dm.get(name);
    bio.op = op;
    bio.flags = flags;
    bio.sector = sector;
    if (op === BioOp.Read || op === BioOp.Write) {
      bio.vecs = createVecs(1);
      bio.vecMax = 1;
      if (sectors > 0) bio.addPage({ bytes, frame: 0 }, bytes.length, 0);
    } else {
      bio.sizeBytes = bytes.length;
    }
    const sent: Sent = { bio, bytes, ends: 0, status: null };
    bio.endIo = (ended) => {
      sent.ends += 1;
      sent.status = ended.status;
    };
    return sent;
  }

  flush(name: string): Promise<Sent> {
    return this.send(name, BioOp.Write, 0, 0, BioFlag.Preflush);
  }

  #find(name: string): BlockDevice {
    const disk = this.disks.get(name);
    if (disk !== undefined) return disk;
    throw new BlockError("BLK_DEVICE", "ENODEV", `there is no device "${name}"`);
  }
}
