import { type Bio, BioFlag, BioOp, BioStatus, createVecs, opName, statusName } from "@blkstack/bio";
import { BlockError } from "@blkstack/block";
import {
  bioFor,
  DiskRig,
  type ModelRequest,
  type Range,
  type SentBio,
} from "@blkstack/conformance";
import { Completion, Mutex, type Scheduler, type Task, type TaskBody } from "@blkstack/task";
import { contentText, firstDifference, writeContent } from "./content.ts";
import type { Ground } from "./ground.ts";
import { type DeviceLayout, type Layout, tableText } from "./layout.ts";
import { initialContent, ModelStack, type ModelTable } from "./model-stack.ts";
import { type Share, Space } from "./space.ts";
import type { StackPart } from "./stack-part.ts";
import { type AdminStep, type BioStep, readStep, type StepCode } from "./steps.ts";

/** One play: a stack, and what is done to it. */
export interface Play {
  readonly layout: Layout;
  readonly parts: readonly StackPart[];
  readonly codes: readonly StepCode[];
  /** How many send bios at once, where the stack allows more than one. */
  readonly senders: number;
}

export interface PlayerOptions<AScheduler extends Scheduler> extends Play {
  readonly scheduler: AScheduler;
  readonly ground: Ground;
  readonly spawn: (name: string, body: TaskBody) => unknown;
  /** When all devices are there and bios are about to be sent. */
  readonly onBegin?: (rig: DiskRig<AScheduler>) => void;
}

/** A device that gets bios. */
interface Top {
  readonly name: string;
  readonly model: ModelTable;
  readonly space: Space;
}

/** Of larger disks only what is read through devices is compared. */
const COMPARED_SECTORS_MAX = 4096;
/** Lines of what was sent that a failure shows. */
const LOG_MAX = 40;

/** Opens a stack, sends bios, gives commands, and compares all that comes of it with the model. */
export class Player<AScheduler extends Scheduler> {
  /** What was not as it must be. */
  readonly problems: string[] = [];
  /** What was sent last. */
  readonly log: string[] = [];
  /** Bios and commands that came to an end. */
  doneCount = 0;
  isOver = false;
  readonly #options: PlayerOptions<AScheduler>;
  readonly #rig: DiskRig<AScheduler>;
  readonly #model: ModelStack;
  readonly #tops: readonly Top[];
  readonly #admin = new Mutex("admin");
  #beganMs = 0;
  #serial = 0;

  constructor(options: PlayerOptions<AScheduler>) {
    const { layout, parts, scheduler } = options;
    this.#options = options;
    this.#model = new ModelStack(layout, parts);
    const lines = layout.devices.flatMap((device) => device.lines);
    this.#rig = new DiskRig(scheduler, {
      types: [...new Set(parts.flatMap(({ type, others = [] }) => [type, ...others]))],
      services: (made) =>
        parts.flatMap((part) => {
          const own = lines.filter((line) => line.part === part.name);
          return (
            part.services?.(
              made,
              own.map(({ words }) => words),
            ) ?? []
          );
        }),
    });
    this.#tops = layout.devices.flatMap((device) => {
      const model = this.#model.find(device.name);
      return model === null || !device.isTop
        ? []
        : [{ name: device.name, model, space: new Space(device) }];
    });
  }

  /** Makes the disks. */
  async open(): Promise<void> {
    const { layout, scheduler, ground } = this.#options;
    for (const [index, disk] of layout.disks.entries()) {
      const made = ground.open(disk, initialContent(disk, index), scheduler);
      this.#rig.add(made instanceof Promise ? await made : made);
    }
  }

  /** Plays it all. Waits: until everything has ended. */
  async play(task: Task): Promise<void> {
    const { layout, codes, scheduler, spawn, onBegin } = this.#options;
    for (const device of layout.devices) {
      await this.#rig.dm.create(device.name, task, { table: tableText(device) });
      await this.#sendMessages(device, task);
    }
    this.#beganMs = scheduler.clock.nowMs();
    onBegin?.(this.#rig);
    const of = layout.isCoupled ? 1 : this.#options.senders;
    const ends = Array.from({ length: of }, (_, index) => {
      const end = new Completion("end of a sender", { scheduler });
      const own = codes.filter((_code, at) => at % of === index);
      spawn(`sender ${String(index + 1)}`, async (self) => {
        for (const code of own) await this.#step(code, { index, of }, self);
        end.complete();
      });
      return end;
    });
    for (const end of ends) await end.wait(task);
    this.#rig.memory.faultPlan = null;
    if (this.problems.length === 0) await this.#checkEnd(task);
    this.isOver = true;
  }

  async #step(code: StepCode, share: Share, task: Task): Promise<void> {
    if (this.problems.length > 0) return;
    const step = readStep(code);
    if (step.kind === "bio") await this.#bio(step, share, task);
    else await this.#administer(step, task);
    this.doneCount += 1;
  }

  async #bio(step: BioStep, share: Share, task: Task): Promise<void> {
    const top = this.#tops[step.device % this.#tops.length];
    if (top === undefined) return;
    const range = step.isFlush
      ? { sector: 0, sectors: 0 }
      : top.space.rangeOf(share, step.at, step.sectors);
    if (range === null) return;
    const isKept = step.op === BioOp.Discard && !this.#options.ground.zeroesDiscards;
    await this.#send(top, { ...step, op: isKept ? BioOp.Read : step.op }, range, task);
  }

  async #send(
    { name, model }: Pick<Top, "name" | "model">,
    { op, flags: wanted, pieces }: Pick<BioStep, "op" | "flags" | "pieces">,
    range: Range,
    task: Task,
  ): Promise<void> {
    const request = this.#requestOf(op, range, wanted);
    // With a flush that fails there is nothing to be said of the data.
    const { status: flushed } = model.serve(this.#requestOf(BioOp.Write, FLUSH, 0));
    const flags = flushed === BioStatus.Ok ? wanted : 0;
    const expected = model.takes(op)
      ? model.serve(request)
      : { status: BioStatus.NotSupported, bytes: null };
    const text = `${opText(op, flags, range)} of ${name}`;
    this.log.push(text);
    if (this.log.length > LOG_MAX) this.log.shift();
    const { scheduler } = this.#options;
    const sent = bioFor({ device: this.#rig.dm.get(name), scheduler }, op, range, { flags });
    if (op === BioOp.Write) sent.bytes.set(request.bytes);
    if (range.sectors > 0 && (op === BioOp.Read || op === BioOp.Write)) {
      cutMemory(sent.bio, sent.bytes, pieces);
    }
    const status = await this.#rig.send(sent, task);
    if (status !== expected.status) {
      const { status: other } = expected;
      this.#complain(`${text} ended with ${statusName(status)}, not with ${statusName(other)}`);
    } else this.#compare(text, sent, op === BioOp.Write ? request.bytes : expected.bytes);
  }

  #compare(text: string, { ends, bytes }: SentBio, expected: Uint8Array | null): void {
    if (ends !== 1) this.#complain(`${text} ended ${String(ends)} times`);
    if (expected === null) return;
    const sector = firstDifference(expected, bytes);
    if (sector < 0) return;
    this.#complain(`${text}: ${this.#difference(sector, expected, bytes)}`);
  }

  #difference(sector: number, expected: Uint8Array, found: Uint8Array): string {
    const disks = this.#options.layout.disks.map(({ name }) => name);
    const [must, is] = [expected, found].map((bytes) => contentText(bytes, sector, disks));
    return `sector ${String(sector)} of it must be ${String(must)}, and is ${String(is)}`;
  }

  #requestOf(op: BioOp, { sector, sectors }: Range, flags: number): ModelRequest {
    if (op === BioOp.Write && sectors > 0) this.#serial += 1;
    const bytes = op === BioOp.Write ? writeContent(this.#serial, sectors) : new Uint8Array(0);
    const atMs = this.#options.scheduler.clock.nowMs() - this.#beganMs;
    return { op, flags, sector, sectors, bytes, atMs };
  }

  /** One device at a time, with the others in use. */
  async #administer(step: AdminStep, task: Task): Promise<void> {
    const { devices } = this.#options.layout;
    const device = devices[step.device % devices.length];
    if (device === undefined) return;
    const { name } = device;
    const { dm } = this.#rig;
    await this.#admin.lock(task);
    const words = `${step.isReload ? "reload" : "suspend"}${step.isNoflush ? " noflush" : ""}`;
    this.log.push(`${words} ${name}`);
    const isLoaded =
      step.isReload && (await this.#unlessShort(() => dm.load(name, tableText(device), task)));
    await dm.suspend(name, task, { noflush: step.isNoflush });
    // Each attempt to get memory that fails is one less.
    while (!(await this.#unlessShort(() => dm.resume(name, task)))) continue;
    if (isLoaded) {
      this.#model.find(name)?.reloaded();
      await this.#sendMessages(device, task);
    }
    this.#admin.unlock(task);
  }

  /** Answers false when there was no memory for the command, and attempts to get some were to fail. */
  async #unlessShort(command: () => Promise<void>): Promise<boolean> {
    try {
      await command();
      return true;
    } catch (error) {
      const isShort = error instanceof BlockError && error.errno === "ENOMEM";
      if (isShort && this.#rig.memory.faultPlan !== null) return false;
      throw error;
    }
  }

  async #sendMessages({ name, lines }: DeviceLayout, task: Task): Promise<void> {
    for (const { begin, messages } of lines) {
      for (const message of messages) {
        await this.#rig.dm.message(name, begin, message.split(" "), task);
      }
    }
  }

  /** Reads everything, takes the stack away, and looks at the disks. */
  async #checkEnd(task: Task): Promise<void> {
    const { layout, ground } = this.#options;
    const read = { op: BioOp.Read, flags: 0, pieces: 1 };
    for (const top of this.#tops) {
      for (const range of top.space.ranges) await this.#send(top, read, range, task);
    }
    for (const { name } of [...layout.devices].reverse()) {
      const live = this.#rig.dm.get(name).pools?.liveCount ?? 0;
      if (live > 0) this.#complain(`${String(live)} bios of ${name} are still in use`);
      await this.#rig.dm.remove(name, task);
    }
    for (const { name, isScratch, sizeSectors } of layout.disks) {
      const expected = this.#model.contentOf(name);
      if (isScratch || sizeSectors > COMPARED_SECTORS_MAX || expected === null) continue;
      const content = ground.contentOf(name);
      const found = content instanceof Promise ? await content : content;
      const sector = firstDifference(expected, found);
      if (sector < 0) continue;
      this.#complain(`in the end, of disk ${name}: ${this.#difference(sector, expected, found)}`);
    }
  }

  #complain(problem: string): void {
    this.problems.push(problem);
  }
}

const FLUSH: Range = { sector: 0, sectors: 0 };
/** Pieces end inside a sector, as memory of programs does. */
const FIRST_PIECE_BYTES = 200;

/** Has a bio's memory lie in several pieces. */
function cutMemory(bio: Bio, bytes: Uint8Array, pieces: number): void {
  bio.sizeBytes = 0;
  bio.vecCount = 0;
  bio.vecs = createVecs(pieces);
  bio.vecMax = pieces;
  let at = 0;
  for (let index = 0; index < pieces; index += 1) {
    const end = index === pieces - 1 ? bytes.length : at + FIRST_PIECE_BYTES;
    bio.addPage({ bytes: bytes.subarray(at, end), frame: 0 }, end - at, 0);
    at = end;
  }
}

/** `WRITE 3+2 FUA` */
function opText(op: BioOp, flags: number, { sector, sectors }: Range): string {
  if (sectors === 0) return "flush";
  const words = [
    `${opName(op)} ${String(sector)}+${String(sectors)}`,
    ...((flags & BioFlag.Preflush) === 0 ? [] : ["PREFLUSH"]),
    ...((flags & BioFlag.Fua) === 0 ? [] : ["FUA"]),
  ];
  return words.join(" ");
}
