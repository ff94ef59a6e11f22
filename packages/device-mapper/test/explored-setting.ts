import {
  Bio,
  BioFlag,
  BioOp,
  BioStatus,
  createVecs,
  SECTOR_BYTES,
  statusName,
} from "@blkstack/bio";
import { BlockError, MapResult, type TargetType } from "@blkstack/block";
import { type Faults, RamDisk } from "@blkstack/disk-ram";
import type { World } from "@blkstack/explorer";
import { MakeRequest, submitAndWait } from "@blkstack/make-request";
import { Memory } from "@blkstack/memory";
import { type Access, AccessMode, type Scheduler, type Task } from "@blkstack/task";
import { DeviceMapper, type DeviceMapperOptions, TargetRegistry } from "../src/index.ts";
import type { MappedDevice } from "../src/mapped-device.ts";
import { probeType } from "./test-targets.ts";

const DISK_SECTORS = 32;

/** How often each sector of a disk was written. */
export class WriteCounts implements Faults {
  readonly counts = new Uint8Array(DISK_SECTORS);
  flushes = 0;

  statusOf(bio: Bio): BioStatus {
    if ((bio.flags & BioFlag.Preflush) !== 0) this.flushes += 1;
    if (bio.op !== BioOp.Write) return BioStatus.Ok;
    for (let sector = bio.sector; sector < bio.endSector; sector += 1) {
      this.counts[sector] = (this.counts[sector] ?? 0) + 1;
    }
    return BioStatus.Ok;
  }
}

/** A mapped device "md" over two disks under the explorer, and what must hold of it at any time. */
export class ExploredSetting {
  readonly scheduler: Scheduler;
  readonly memory: Memory;
  readonly submitter = new MakeRequest();
  readonly dm: DeviceMapper;
  readonly onA = new WriteCounts();
  readonly onB = new WriteCounts();
  /** Promises that were broken. */
  readonly problems: string[] = [];
  /** How bios ended, in the order in which they did: `WRITE 4+8 OK`. */
  readonly ends: string[] = [];
  /** Whether the targets of "md" were last told to stop; null: neither that nor to go on. */
  #isStopped: boolean | null = null;
  #isGivingBack = false;
  #md: MappedDevice | null = null;
  readonly #looking: Access = { object: { label: "targets" }, mode: AccessMode.Read, label: "map" };
  readonly #telling: Access;

  constructor(world: World, options: Partial<DeviceMapperOptions> = {}, copies = 1) {
    const { scheduler } = world;
    this.scheduler = scheduler;
    this.#telling = { ...this.#looking, mode: AccessMode.Write, label: "tell targets" };
    this.memory = new Memory({ scheduler });
    const disks = new Map([
      ["a", this.#disk("a", this.onA)],
      ["b", this.#disk("b", this.onB)],
    ]);
    this.dm = new DeviceMapper({
      scheduler,
      submitter: this.submitter,
      memory: this.memory,
      registry: new TargetRegistry([this.#type(copies)]),
      lookup: (name) => {
        const disk = disks.get(name);
        if (disk !== undefined) return disk;
        throw new BlockError("BLK_DEVICE", "ENODEV", name);
      },
      ...options,
    });
    world.atEnd(() => this.#atEnd());
  }

  /** The device; there once `create` has ended. */
  get md(): MappedDevice {
    if (this.#md === null) throw new Error("md is not there yet");
    return this.#md;
  }

  async create(table: string, task: Task): Promise<void> {
    this.#md = await this.dm.create("md", task, { table });
  }

  /** Sends a bio and answers how it ended. */
  async send(op: BioOp, sector: number, sectors: number, task: Task, flags = 0): Promise<string> {
    const bio = new Bio();
    bio.device = this.md;
    bio.op = op;
    bio.flags = flags;
    bio.sector = sector;
    if (op === BioOp.Write && sectors > 0) {
      const bytes = new Uint8Array(sectors * SECTOR_BYTES);
      bio.vecs = createVecs(1);
      bio.vecMax = 1;
      bio.addPage({ bytes, frame: 0 }, bytes.length, 0);
    } else {
      bio.sizeBytes = sectors * SECTOR_BYTES;
    }
    const status = statusName(await submitAndWait(this.submitter, bio, task));
    this.ends.push(`${String(sector)}+${String(sectors)} ${status}`);
    return status;
  }

  /** Suspends, as far as anybody can see. */
  async suspend(task: Task, options: Parameters<DeviceMapper["suspend"]>[2] = {}): Promise<void> {
    await this.dm.suspend("md", task, options);
    if (this.md.inFlight.count > 0) this.problems.push("bios are in flight though md is suspended");
  }

  #disk(name: string, faults: Faults): RamDisk {
    const { scheduler } = this;
    return new RamDisk({
      name,
      sizeSectors: DISK_SECTORS,
      scheduler,
      faults,
      hasVolatileCache: true,
    });
  }

  /** Sends everything down; but gives bios back while it is about to be suspended. */
  #type(copies: number): TargetType {
    return probeType({
      copies,
      map: () => {
        this.scheduler.touch(this.#looking);
        if (this.#isStopped === true) this.problems.push("a bio came to a target of a stopped md");
        return this.#isGivingBack ? MapResult.Requeue : undefined;
      },
      event: (what, begin) => {
        this.scheduler.touch(this.#telling);
        if (what === "presuspend") this.#isGivingBack = this.md.isPushingBack;
        else if (what === "postsuspend" || what === "presuspendUndo") this.#isGivingBack = false;
        if (begin === 0 && what === "postsuspend") this.#tell(true);
        if (begin === 0 && what === "resume") this.#tell(false);
      },
    });
  }

  #tell(isStopped: boolean): void {
    if (this.#isStopped === isStopped) this.problems.push("a target was told the same twice");
    this.#isStopped = isStopped;
  }

  #atEnd(): readonly string[] {
    if (this.#md === null) return this.problems;
    const { inFlight, submitters, deferred, pools } = this.#md;
    const left = [inFlight.count, submitters.count, deferred.count, pools?.liveCount ?? 0];
    const isQuiet = left.every((count) => count === 0);
    return [...this.problems, ...(isQuiet ? [] : [`something is left: ${left.join(", ")}`])];
  }
}
