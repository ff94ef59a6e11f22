import { BioOp, isDataless, type Sectors } from "@blkstack/bio";
import type { QueueLimits } from "@blkstack/block";
import type { MappedDevice } from "@blkstack/device-mapper";
import { allFail } from "@blkstack/memory";
import type { Reserve, Scheduler, Task } from "@blkstack/task";
import { DiskRig, type DiskRigOptions } from "../disk-rig.ts";
import { diskContent } from "./content.ts";
import { filler, FILLER_SECTORS } from "./filler.ts";
import type { Model, ModelAnswer } from "./model.ts";
import { bioForRequest, type Request, type RequestBio } from "./request.ts";
import { Spy } from "./spy.ts";
import { SuiteDisk } from "./suite-disk.ts";
import type { OptionalOp, SuiteOptions, TargetClaims, ValidTable } from "./suite-options.ts";

/** What all rules are about: one line of the suite's tables. */
export interface Subject {
  readonly suite: SuiteOptions;
  readonly table: ValidTable;
}

export interface SuiteRigOptions {
  readonly subject: Subject;
  /** Whether another line stands in front. Default: false. */
  readonly isBehind?: boolean;
  /** What disks hold that hold other things than at first. */
  readonly contents?: ReadonlyMap<string, Uint8Array>;
  readonly limits?: Partial<QueueLimits>;
  /** Whether the power is to be cut. Default: false. */
  readonly isCut?: boolean;
  readonly mapper?: DiskRigOptions["mapper"];
  readonly memory?: DiskRigOptions["memory"];
}

/** For `SuiteRigOptions.mapper`. */
export const ONE_EACH: { readonly poolSize: number; readonly splitPoolSize: number } = {
  poolSize: 1,
  splitPoolSize: 1,
};

/** Unless told. */
const LINE_SECTORS: Sectors = 32;
const DISKS: Readonly<Record<string, Sectors>> = { a: 64, b: 64 };

const OPTIONAL_OPS: Readonly<Record<OptionalOp, BioOp>> = {
  discard: BioOp.Discard,
  writeZeroes: BioOp.WriteZeroes,
  secureErase: BioOp.SecureErase,
};

/** The device `md` with the line under test, the disks below it, its model, and who sends bios. */
export class SuiteRig<AScheduler extends Scheduler = Scheduler> extends DiskRig<AScheduler> {
  readonly subject: Subject;
  readonly spy: Spy;
  readonly disks: readonly SuiteDisk[];
  readonly begin: Sectors;
  readonly sizeSectors: Sectors;
  readonly model: Model;
  /** What the model says that the disks hold. */
  readonly modelDisks: ReadonlyMap<string, Uint8Array>;
  #serial = 0;
  #createdMs = 0;

  constructor(scheduler: AScheduler, options: SuiteRigOptions) {
    const { subject, isBehind = false, contents, limits = {}, isCut = false } = options;
    const { suite, table } = subject;
    const spy = new Spy();
    super(scheduler, {
      types: [spy.watch(suite.target), filler, ...(suite.others ?? [])],
      ...(suite.services && { services: suite.services }),
      ...(options.mapper && { mapper: options.mapper }),
      ...(options.memory && { memory: options.memory }),
    });
    this.subject = subject;
    this.spy = spy;
    this.begin = isBehind ? FILLER_SECTORS : 0;
    this.sizeSectors = table.sizeSectors ?? LINE_SECTORS;
    this.disks = disksOf(suite).map(([name, sectors], index) => {
      const isBlank = suite.blankDisks?.includes(name) === true;
      const content = contents?.get(name) ?? diskContent(isBlank ? null : index, sectors);
      const deviceNumber = numberOf(index);
      return this.add(new SuiteDisk({ name, deviceNumber, content, scheduler, limits, isCut }));
    });
    // What is made for a disk once for all is no target's.
    for (const disk of this.disks) this.submitter.addDevice(disk);
    const { begin, sizeSectors } = this;
    const disks = new Map(this.disks.map(({ name, content }) => [name, content]));
    this.modelDisks = disks;
    this.model = table.model({ begin, sizeSectors, disks });
    spy.isPushingBack = () => this.device.isPushingBack;
  }

  get device(): MappedDevice {
    return this.dm.get("md");
  }

  /** The whole table: the line, and the one in front of it if there is one. */
  get tableText(): string {
    return this.#tableOf(this.subject.table.line);
  }

  /** Makes the device. */
  async create(task: Task): Promise<void> {
    this.#createdMs = this.scheduler.clock.nowMs();
    await this.dm.create("md", task, { table: this.tableText });
    await this.subject.table.prepare?.(this.dm, task);
  }

  /** Gives the device, which is suspended, the same table again, and resumes it. */
  async renew(task: Task, tableText: string = this.tableText): Promise<void> {
    const { between } = this.subject.table;
    if (between !== undefined) {
      await this.dm.load("md", this.#tableOf(between), task);
      await this.dm.resume("md", task);
      await this.dm.suspend("md", task);
    }
    await this.dm.load("md", tableText, task);
    await this.dm.resume("md", task);
  }

  /**
   * From here on there is no memory but for what is in reserve: in each pool one element, or what
   * `reserves` has for its label; in those of a device that is made with `ONE_EACH`, what its table
   * cannot do without. Waits: never.
   */
  async starve(reserves: TargetClaims["reserves"], task: Task): Promise<void> {
    const { ios, clones, splits } = this.device.pools ?? {};
    const ofDevice = [ios, clones, splits].map((set) => set?.bioPool as Reserve | undefined);
    for (const pool of this.memory.reserves) {
      const wanted = reserves?.[pool.label] ?? 1;
      if (wanted < pool.minNr && !ofDevice.includes(pool)) await pool.resize?.(wanted, task);
    }
    this.memory.faultPlan = allFail;
  }

  /** A bio that is not sent yet. */
  bioOf(request: Request): RequestBio {
    this.#serial += 1;
    const { device, scheduler, begin } = this;
    return bioForRequest(request, this.#serial, { device, scheduler, begin });
  }

  /** Has the model serve what is about to be sent; null: the device must refuse the operation. */
  expect(request: Request, { before }: RequestBio): ModelAnswer | null {
    if (!takes(this.subject, request.op)) return null;
    const { op, flags = 0, sector, sectors } = request;
    const atMs = this.scheduler.clock.nowMs() - this.#createdMs;
    return this.model.serve({ op, flags, sector, sectors, bytes: before, atMs });
  }

  #tableOf(text: string): string {
    const line = `${String(this.begin)} ${String(this.sizeSectors)} ${text}`;
    return this.begin === 0 ? line : `0 ${String(this.begin)} ${filler.name}\n${line}`;
  }
}

/** Whether the claims say that this operation is taken. */
export function takes({ suite }: Subject, op: BioOp): boolean {
  if (!isDataless(op)) return true;
  return (suite.claims?.takes ?? []).some((name) => OPTIONAL_OPS[name] === op);
}

/** All that may be taken or not. */
export function optionalOps(): readonly BioOp[] {
  return Object.values(OPTIONAL_OPS);
}

export function disksOf({ disks = DISKS }: SuiteOptions): readonly (readonly [string, Sectors])[] {
  return Object.entries(disks);
}

/** How tables of a running device name the disks: `7:0`, `7:16`. */
function numberOf(diskIndex: number): string {
  return `7:${String(diskIndex * 16)}`;
}

/** The line as the device must tell it. */
export function toldLine({ suite, table }: Subject): string {
  if (table.tells !== undefined) return table.tells;
  const names = disksOf(suite).map(([name]) => name);
  const [type = "", ...args] = table.line.split(" ");
  const told = args.map((word) => (names.includes(word) ? numberOf(names.indexOf(word)) : word));
  return [type, ...told].join(" ");
}
