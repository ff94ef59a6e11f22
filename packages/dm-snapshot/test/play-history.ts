import { type Bio, BioOp, BioStatus, SECTOR_BYTES, statusName } from "@blkstack/bio";
import type { LateDisk, SentBio } from "@blkstack/conformance";
import type { BlockDevice } from "@blkstack/block";
import { allFail, failsWithoutWaiting, noneFails } from "@blkstack/memory";
import { type Access, AccessMode, type Task } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import {
  type BioPlan,
  type CommandPlan,
  type History,
  ORIGIN_SECTORS,
  type SnapshotPlan,
} from "./history.ts";
import { type OpenWrite, Register } from "./register.ts";
import { Rig } from "./rig.ts";

const ALL = { sector: 0, sectors: ORIGIN_SECTORS };
/** A command that asks again and again gives up after so many steps. */
const PATIENCE = 3_000;

/** What the users of one device must see there; null: the device is not there, or lost. */
type Space = Register[];

const FAULTS = { enough: noneFails, "for-waiters": failsWithoutWaiting, none: allFail };
/** Enough for one bio and its copies; every other one waits. */
const POOL_SIZE = 2;

/** A bio that ended with an error, and what its device then said of itself. */
interface Failure {
  readonly on: number;
  readonly device: BlockDevice;
  readonly what: BioPlan["kind"];
  readonly said: string;
}

/** Plays a history, and throws when somebody sees what he must not see. */
export async function playHistory(history: History): Promise<void> {
  await new Player(history).play();
}

class Player {
  readonly #history: History;
  readonly #scheduler: VirtualScheduler;
  readonly #rig: Rig;
  readonly #disk: LateDisk;
  /** The origin's, then those of the snapshots. */
  readonly #spaces: (Space | null)[] = [];
  readonly #turn: Access;
  #lastValue = 100;

  constructor(history: History) {
    const { seed, isExploring } = history;
    this.#history = history;
    this.#scheduler = new VirtualScheduler({ seed, isExploring, interrupts: "queued" });
    this.#rig = new Rig(this.#scheduler, {}, { poolSize: POOL_SIZE });
    this.#disk = this.#rig.disk("origin", ORIGIN_SECTORS);
    for (let sector = 0; sector < ORIGIN_SECTORS; sector += 1) {
      wordsOf(this.#disk.bytes)[sector * WORDS] = sector + 1;
    }
    this.#turn = { object: { label: "turn" }, mode: AccessMode.Read, label: "pause" };
  }

  async play(): Promise<void> {
    const { snapshots, tasks, commands } = this.#history;
    const { dm, memory } = this.#rig;
    await this.#perform(async (task) => {
      await dm.create("o", task, { table: ORIGIN_TABLE });
      this.#spaces[0] = Array.from(
        { length: ORIGIN_SECTORS },
        (_, sector) => new Register([sector + 1]),
      );
      for (const [index, plan] of snapshots.entries()) {
        this.#rig.disk(`c${String(index + 1)}`, cowSectors(plan));
        const isLater = commands.some(({ kind, on }) => kind === "create" && on === index + 1);
        if (!isLater) await this.#create(index + 1, task);
      }
    });
    memory.faultPlan = FAULTS[this.#history.memory];
    let isOver = 0;
    const bodies = [
      ...tasks.map((plans) => async (task: Task) => {
        for (const plan of plans) await this.#bio(plan, task);
      }),
      async (task: Task) => {
        for (const plan of commands) await this.#command(plan, task);
      },
    ];
    const spawned = bodies.map((body, index) =>
      this.#scheduler.spawn(`task ${String(index)}`, async (task) => {
        await body(task);
        isOver += 1;
      }),
    );
    await this.#scheduler.run();
    if (isOver < bodies.length) {
      const waits = spawned.map(({ name, waitingFor }) => `${name}: ${waitingFor?.label ?? "-"}`);
      throw new Error(`all stands still; ${waits.join("; ")}`);
    }
    memory.faultPlan = noneFails;
    await this.#perform((task) => this.#checkEnd(task));
  }

  async #bio(plan: BioPlan, task: Task): Promise<void> {
    const { kind, on } = plan;
    const device = this.#device(on);
    const space = this.#spaces[on] ?? null;
    if (device === null || space === null) return;
    if (kind === "discard") {
      if (device.queue.limits.maxDiscardSectors > 0) await this.#discard(plan, device, task);
      return;
    }
    if (kind === "flush") {
      const sent = this.#rig.bio(device, BioOp.Write, { sector: 0, sectors: 0 });
      await this.#sendOrLose(on, device, "flush", sent, task);
      return;
    }
    if (kind === "read") await this.#read(on, device, plan, task);
    else await this.#write(on, device, plan, task);
  }

  async #write(on: number, device: BlockDevice, plan: BioPlan, task: Task): Promise<void> {
    const space = this.#spaces[on];
    if (!space) return;
    const opened = openWrites([space], plan, () => (this.#lastValue += 1));
    const isOk = await this.#sendOrLose(
      on,
      device,
      "write",
      this.#writeOf(device, opened, plan),
      task,
    );
    endWrites(opened, isOk);
  }

  #writeOf(device: BlockDevice, opened: readonly Opened[], plan: BioPlan): SentBio {
    const sent = this.#rig.bio(device, BioOp.Write, plan);
    const words = wordsOf(sent.bytes);
    for (const { sector, write } of opened) words[(sector - plan.sector) * WORDS] = write.value;
    return sent;
  }

  /** Perhaps zeroes the snapshot's sectors, perhaps the origin's. */
  async #discard(plan: BioPlan, device: BlockDevice, task: Task): Promise<void> {
    const { on } = plan;
    const [origin, space] = [this.#spaces[0], this.#spaces[on]];
    if (!origin || !space) return;
    const isPassedDown = this.#history.snapshots[on - 1]?.features === 2;
    const opened = openWrites([space], plan, () => 0);
    const below = isPassedDown ? openWrites([origin], plan, () => 0) : [];
    const sent = this.#rig.bio(device, BioOp.Discard, plan);
    await this.#sendOrLose(on, device, "discard", sent, task);
    // A copy of what was there before may be on its way to the store, and reads change over to it.
    if (isPassedDown) for (const { register, write } of opened) register.endVaguely(write);
    else endWrites(opened, false);
    endWrites(below, false);
  }

  async #read(
    on: number,
    device: BlockDevice,
    { sector, sectors }: { readonly sector: number; readonly sectors: number },
    task: Task,
  ): Promise<void> {
    const space = this.#spaces[on];
    if (!space) return;
    const opened = space.slice(sector, sector + sectors).map((register) => ({
      register,
      read: register.beginRead(),
    }));
    const sent = this.#rig.bio(device, BioOp.Read, { sector, sectors });
    if (!(await this.#sendOrLose(on, device, "read", sent, task))) return;
    const words = wordsOf(sent.bytes);
    for (const [index, { register, read }] of opened.entries()) {
      const found = words[index * WORDS] ?? -1;
      if (register.endRead(read, found)) continue;
      const place = `sector ${String(sector + index)} of ${device.name}`;
      const allowed = [...read.allowed].join(" or ");
      throw new Error(`${place} is ${String(found)} and must be ${allowed}`);
    }
  }

  /** Sends what was prepared, and answers whether it went well. */
  async #sendOrLose(
    on: number,
    device: BlockDevice,
    what: BioPlan["kind"],
    sent: SentBio,
    task: Task,
  ): Promise<boolean> {
    const { bio } = sent;
    const noted = bio.endIo;
    let said = "";
    // As it says when the bio ends: before its sender runs again the snapshot may be handed over.
    bio.endIo = (ended) => {
      said = this.#device(on) === null ? "" : this.#status(on);
      noted?.(ended);
    };
    const status = await this.#rig.send(sent, task);
    if (status !== BioStatus.Ok) this.#mayFail({ on, device, what, said }, status);
    return status === BioStatus.Ok;
  }

  /** Only a snapshot that says so may fail, and only one that had too little room says so. */
  #mayFail({ on, device, what, said }: Failure, status: BioStatus): void {
    const isGone = this.#spaces[on] === null || this.#device(on) !== device;
    if (on > 0 && isGone) return;
    // It waited for a table that takes none.
    if (on === 0 && what === "discard" && status === BioStatus.NotSupported) return;
    const isFull = on > 0 && !this.#history.snapshots[on - 1]?.isRoomy;
    if (said === "Invalid" && isFull) {
      this.#spaces[on] = null;
      return;
    }
    if (said === "Overflow" && isFull && what !== "read") return;
    throw new Error(`${what} of ${nameOf(on)}, "${said}": ${statusName(status)}`);
  }

  async #command({ kind, on, pause }: CommandPlan, task: Task): Promise<void> {
    await this.#pause(pause, task);
    const isThere = this.#device(on) !== null;
    const { dm } = this.#rig;
    if (kind === "create" && !isThere && on <= this.#history.snapshots.length && on > 0) {
      if (this.#spaces[on] === undefined) await this.#create(on, task);
    }
    if (!isThere) return;
    if (kind === "suspend") {
      await dm.suspend(nameOf(on), task);
      await this.#pause(pause, task);
      await dm.resume(nameOf(on), task);
    }
    if (kind === "reload") {
      await dm.load(nameOf(on), this.#table(on), task);
      await this.#pause(pause, task);
      await dm.suspend(nameOf(on), task);
      await dm.resume(nameOf(on), task);
    }
    if (on === 0) return;
    if (kind === "remove") {
      this.#spaces[on] = null;
      await dm.remove(nameOf(on), task);
    }
    if (kind === "reopen") await this.#reopen(on, task);
    if (kind === "merge") await this.#merge(on, pause, task);
  }

  /** What the snapshot is of is read off the origin while it is made. */
  async #create(on: number, task: Task): Promise<void> {
    const origin = this.#spaces[0] ?? [];
    const opened = origin.map((register) => ({ register, read: register.beginRead() }));
    this.#spaces[on] = null;
    await this.#rig.dm.create(nameOf(on), task, { table: this.#table(on) });
    this.#spaces[on] = opened.map(({ read }) => new Register(read.allowed));
  }

  /** Reads a store in again, while the origin stands still. */
  async #reopen(on: number, task: Task): Promise<void> {
    const { dm } = this.#rig;
    if (this.#history.snapshots[on - 1]?.store === "N") return;
    const writers = ["o", ...this.#passingDown(on)];
    for (const name of writers) await dm.suspend(name, task);
    const space = this.#spaces[on] ?? null;
    this.#spaces[on] = null;
    await dm.remove(nameOf(on), task);
    await dm.create(nameOf(on), task, { table: this.#table(on) });
    this.#spaces[on] = space;
    for (const name of writers) await dm.resume(name, task);
  }

  /** Other snapshots whose discards reach the origin. */
  #passingDown(on: number): string[] {
    return this.#history.snapshots.flatMap(({ features }, index) => {
      const other = index + 1;
      return features === 2 && other !== on && this.#device(other) !== null ? [nameOf(other)] : [];
    });
  }

  /** The origin becomes the snapshot, and in the end an origin again. */
  async #merge(on: number, pause: number, task: Task): Promise<void> {
    const { dm } = this.#rig;
    const plan = this.#history.snapshots[on - 1];
    if (plan === undefined || plan.store === "N") return;
    // A discard from elsewhere might take its last room just before it is merged.
    const discarding = plan.isRoomy ? [] : this.#passingDown(on);
    for (const name of [nameOf(on), "o", ...discarding]) await dm.suspend(name, task);
    const isWhole = /^\d+\/\d+ \d+$/.test(this.#status(on));
    const [origin, space] = [this.#spaces[0], this.#spaces[on]];
    if (!isWhole || !origin || !space) {
      for (const name of [nameOf(on), "o", ...discarding]) await dm.resume(name, task);
      return;
    }
    for (const [sector, register] of origin.entries()) {
      const merged = space[sector];
      if (merged !== undefined) register.become(merged);
    }
    this.#spaces[on] = null;
    await dm.load("o", this.#table(on).replace("snapshot", "snapshot-merge"), task);
    for (const name of ["o", ...discarding]) await dm.resume(name, task);
    await dm.remove(nameOf(on), task);
    await this.#pause(pause, task);
    await dm.suspend("o", task);
    await dm.resume("o", task);
    for (let step = 0; !/ (\d+)\/\d+ \1$/.test(dm.status("o")[0] ?? ""); step += 1) {
      if (step > PATIENCE) throw new Error(`the merge stands still: ${String(dm.status("o")[0])}`);
      await this.#pause(1, task);
    }
    await dm.suspend("o", task);
    await dm.load("o", ORIGIN_TABLE, task);
    await dm.resume("o", task);
  }

  async #checkEnd(task: Task): Promise<void> {
    const { dm } = this.#rig;
    await this.#readAll(task);
    for (const [on, plan] of this.#history.snapshots.entries()) {
      if (this.#device(on + 1) === null) continue;
      const text = await dm.message(nameOf(on + 1), 0, ["stats"], task);
      if (!text.endsWith("pending 0 tracked 0")) throw new Error(`at the end: ${text}`);
      if (plan.store !== "N") await this.#reopen(on + 1, task);
    }
    await this.#readAll(task);
    for (const { name } of dm.list()) await dm.remove(name, task);
    if (this.#scheduler.warnings.length > 0) throw new Error(this.#scheduler.warnings.join("; "));
  }

  async #readAll(task: Task): Promise<void> {
    for (const [on, space] of this.#spaces.entries()) {
      const device = this.#device(on);
      if (space && device !== null) await this.#read(on, device, ALL, task);
    }
    // Whatever was merged is there, too, and nothing else is below the origin.
    await this.#read(0, this.#disk, ALL, task);
  }

  /** Lets others run. */
  async #pause(steps: number, task: Task): Promise<void> {
    for (let step = 0; step < steps; step += 1) await this.#scheduler.mayPreempt(task, this.#turn);
  }

  #perform(body: (task: Task) => Promise<void>): Promise<void> {
    return this.#scheduler.perform("commands", body);
  }

  #device(on: number): BlockDevice | null {
    return this.#rig.dm.list().find(({ name }) => name === nameOf(on)) ?? null;
  }

  #status(on: number): string {
    return (this.#rig.dm.status(nameOf(on))[0] ?? "").replace(/^\d+ \d+ [\w-]+ /, "");
  }

  #table(on: number): string {
    const plan = this.#history.snapshots[on - 1];
    if (plan === undefined) return ORIGIN_TABLE;
    const features = ["discard_zeroes_cow", "discard_passdown_origin"].slice(0, plan.features);
    const tail = features.length === 0 ? "" : ` ${String(features.length)} ${features.join(" ")}`;
    const store = `c${String(on)} ${plan.store} ${String(plan.chunk)}`;
    return `0 ${String(ORIGIN_SECTORS)} snapshot origin ${store}${tail}`;
  }
}

const ORIGIN_TABLE = `0 ${String(ORIGIN_SECTORS)} snapshot-origin origin`;
const WORDS = SECTOR_BYTES / 4;

function nameOf(on: number): string {
  return on === 0 ? "o" : `s${String(on)}`;
}

function cowSectors({ chunk, isRoomy }: SnapshotPlan): number {
  return isRoomy ? ORIGIN_SECTORS + 5 * chunk : 5 * chunk;
}

function wordsOf(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}

interface Opened {
  readonly sector: number;
  readonly register: Register;
  readonly write: OpenWrite;
}

function openWrites(
  spaces: readonly Space[],
  { sector, sectors }: Pick<Bio, "sector" | "sectors">,
  value: () => number,
): Opened[] {
  return spaces.flatMap((space) =>
    space.slice(sector, sector + sectors).map((register, index) => {
      return { sector: sector + index, register, write: register.beginWrite(value()) };
    }),
  );
}

function endWrites(opened: readonly Opened[], isSure: boolean): void {
  for (const { register, write } of opened) register.endWrite(write, isSure);
}
