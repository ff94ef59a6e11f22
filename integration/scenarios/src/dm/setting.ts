import {
  Bio,
  BioOp,
  type BioPool,
  BioStatus,
  createVecs,
  SECTOR_BYTES,
  type Sectors,
} from "@blkstack/bio";
import { type BlockDevice, BlockError, type TargetType } from "@blkstack/block";
import {
  DeviceMapper,
  type DeviceMapperOptions,
  type MappedDevice,
  TargetRegistry,
} from "@blkstack/device-mapper";
import { RamDisk, type RamDiskOptions } from "@blkstack/disk-ram";
import { linear } from "@blkstack/dm-linear";
import type { World } from "@blkstack/explorer";
import { MakeRequest, type MakeRequestOptions } from "@blkstack/make-request";
import { Memory } from "@blkstack/memory";
import { type Access, AccessMode, type Awaitable, type Task, type Waitable } from "@blkstack/task";
import { PromptDisk } from "./prompt-disk.ts";

const SIZE_SECTORS = 64;
const ORIGINALS: BioPool = { label: "its submitter", release: () => undefined };

export interface DmOptions extends Partial<DeviceMapperOptions> {
  readonly way?: MakeRequestOptions;
  /** Kinds of targets beside `linear`. */
  readonly types?: readonly TargetType[];
  /** Whether the bios of mapped devices may not suffice. */
  readonly isShortOfBios?: boolean;
}

/** A bio that a task is to submit. */
export interface Wish {
  readonly device: BlockDevice;
  readonly op: BioOp;
  readonly sector: Sectors;
  readonly sectors: Sectors;
  readonly flags?: number;
}

/** What every stack of mapped devices stands on: disks that nobody looks at, and a way down. */
export class DmSetting {
  readonly world: World;
  readonly memory: Memory;
  readonly submitter: MakeRequest;
  readonly dm: DeviceMapper;
  readonly #isShortOfBios: boolean;
  readonly #disks = new Map<string, BlockDevice>();
  /** Who gives commands before anything runs. */
  readonly #commander: Task;

  constructor(world: World, given: DmOptions = {}) {
    const { way = {}, types = [], isShortOfBios = false, ...options } = given;
    const { scheduler } = world;
    this.#isShortOfBios = isShortOfBios;
    this.world = world;
    this.memory = new Memory({ scheduler });
    this.submitter = new MakeRequest(way);
    this.#commander = scheduler.spawn("commands", () => undefined);
    this.dm = new DeviceMapper({
      poolSize: 4,
      ...options,
      scheduler,
      submitter: this.submitter,
      memory: this.memory,
      registry: new TargetRegistry([linear, ...types]),
      lookup: (name) => this.lookup(name),
    });
  }

  /** A disk whose data nobody reads and whose queue nobody freezes: the order of bios is no matter. */
  disk(name: string, { hasVolatileCache = false } = {}): RamDisk {
    const { scheduler } = this.world;
    const disk = new RamDisk({ name, sizeSectors: SIZE_SECTORS, scheduler, hasVolatileCache });
    this.add(disk);
    return disk;
  }

  /** In place of disks whose bios may end in any order: some that are done at once. */
  promptDisks(...names: string[]): void {
    const { scheduler } = this.world;
    for (const name of names) {
      this.add(new PromptDisk({ name, sizeSectors: SIZE_SECTORS, scheduler }));
    }
  }

  /** A disk whose data somebody looks at. */
  watchedDisk(name: string, options: Pick<RamDiskOptions, "writeCache"> = {}): RamDisk {
    const { scheduler } = this.world;
    const disk = new RamDisk({ name, sizeSectors: SIZE_SECTORS, scheduler, ...options });
    this.world.ignore(disk.queue);
    this.#disks.set(name, disk);
    return disk;
  }

  /** Has tables know a disk of one's own, of which the same holds as of `disk`. */
  add(disk: BlockDevice): void {
    this.world.ignore(disk);
    this.world.ignore(disk.queue);
    this.#disks.set(disk.name, disk);
  }

  /** A mapped device that nobody suspends or changes; without lines it has no table. */
  async create(name: string, ...lines: string[]): Promise<BlockDevice> {
    const device = await this.createChanging(name, ...lines);
    this.world.ignore(device.queue);
    this.world.ignore(device.deferred);
    return device;
  }

  /** A mapped device that may be suspended, and get other tables. */
  async createChanging(name: string, ...lines: string[]): Promise<MappedDevice> {
    const options = lines.length === 0 ? {} : { table: lines.join("\n") };
    const device = await this.dm.create(name, this.#commander, options);
    if (!this.#isShortOfBios) this.#ignorePools(device);
    return device;
  }

  /** Gives a device its next table before anything runs. */
  async loadEarly(name: string, table: string): Promise<void> {
    await this.dm.load(name, table, this.#commander);
  }

  /** Has a bio be under way before anything runs. */
  async submitEarly(bio: AwaitedBio): Promise<void> {
    await bio.submit(this.#commander);
  }

  /** A bio that is to end well, and that somebody waits for. */
  bio({ device, op, sector, sectors, flags = 0 }: Wish): AwaitedBio {
    return new AwaitedBio(this, { device, op, sector, sectors, flags });
  }

  /** A task that submits one bio and waits for its end. */
  spawn(name: string, wish: Wish): void {
    const awaited = this.bio(wish);
    const send = async (task: Task): Promise<void> => {
      await awaited.submit(task);
      await awaited.wait(task);
    };
    this.world.spawn(name, send, { startsAtFirstStep: true });
  }

  /** There are more bios than anybody wants: who comes first makes no difference. */
  #ignorePools({ pools }: MappedDevice): void {
    if (pools === null) return;
    for (const set of [pools.ios, pools.clones, pools.splits]) this.world.ignore(set.bioPool);
  }

  /** The disk of this name. Throws a BlockError (ENODEV). */
  lookup(name: string): BlockDevice {
    const disk = this.#disks.get(name);
    if (disk !== undefined) return disk;
    throw new BlockError("BLK_DEVICE", "ENODEV", `there is no device "${name}"`);
  }
}

/** A bio of a scenario's own, which must end well. */
export class AwaitedBio implements Waitable {
  readonly bio: Bio;
  readonly bytes: Uint8Array;
  readonly label: string;
  status: BioStatus | null = null;
  readonly #setting: DmSetting;
  readonly #use: Access;
  #waiter: Task | null = null;

  constructor(setting: DmSetting, { device, op, sector, sectors, flags = 0 }: Wish) {
    this.#setting = setting;
    const vecs = createVecs(1);
    const bio = new Bio(ORIGINALS, null, vecs);
    this.bio = bio;
    bio.op = op;
    bio.flags = flags;
    bio.device = device;
    bio.sector = sector;
    const length = sectors * SECTOR_BYTES;
    this.bytes = new Uint8Array(length);
    if (op <= BioOp.Write && sectors > 0) {
      bio.vecs = vecs;
      bio.vecMax = 1;
      bio.addPage({ bytes: this.bytes, frame: 0 }, length, 0);
    } else {
      bio.sizeBytes = length;
    }
    this.label = `the end of ${bio.toString()}`;
    this.#use = { object: this, mode: AccessMode.Write, label: "" };
    const { scheduler } = setting.world;
    bio.endIo = () => {
      scheduler.touch(this.#use);
      this.status = bio.status;
      if (this.#waiter !== null) scheduler.wake(this.#waiter);
    };
    setting.world.atEnd(() => (this.status === BioStatus.Ok ? [] : [`${this.label}: not well`]));
  }

  blockers(): readonly object[] {
    return [this.bio];
  }

  submit(task: Task): Awaitable<void> {
    return this.#setting.submitter.submitBio(this.bio, task);
  }

  async wait(task: Task): Promise<void> {
    this.#waiter = task;
    task.scheduler.touch(this.#use);
    while (this.status === null) {
      await task.scheduler.sleep(task, this);
      task.scheduler.touch(this.#use);
    }
  }
}
