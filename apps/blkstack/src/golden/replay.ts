import type { BlockDevice } from "@blkstack/block";
import type { Task } from "@blkstack/task";
import type { GoldenOp } from "./case-file.ts";
import { linesOf, mangled, passTime } from "./as-recorded.ts";
import type { Comparison } from "./comparison.ts";
import { asArrived, asBytes, nameAsArrived, UNKNOWN_LIMITS } from "./deviations.ts";
import { type Answer, Dmsetup } from "./dmsetup.ts";
import { sha256 } from "./image.ts";
import { textOfTarget } from "./kernel-log.ts";
import { limitsOf, parseLimits } from "./limits-text.ts";
import { type Machine, NumberedDisk } from "./machine.ts";
import { describeRuns, fillPattern } from "./pattern.ts";
import { SystemCalls } from "./system-calls.ts";
import { ThrottledPrograms } from "./throttled-programs.ts";
import { TimedPrograms } from "./timed-programs.ts";

const SECTOR_BYTES = 512;
/** The most sectors of one system call, unless an op says otherwise. */
const IO_SECTORS = 2048;
const POLL_MS = 20;
const POLL_COUNT = 500;
/** Kernel log lines that belong to a table, and so to a command. */
const TABLE_LOG = /^device-mapper: (?:table|ioctl|core):/;

type Replayer = (op: GoldenOp, task: Task) => Promise<void>;

/** Repeats recorded steps on a machine, and compares what comes of them. */
export class Replay {
  readonly #machine: Machine;
  readonly #comparison: Comparison;
  readonly #dmsetup: Dmsetup;
  readonly #calls: SystemCalls;
  readonly #programs: TimedPrograms;
  readonly #throttled: ThrottledPrograms;
  readonly #replayers: ReadonlyMap<string, Replayer>;
  /** What commands said that nobody has read yet. */
  readonly #unread: string[] = [];

  constructor(machine: Machine, comparison: Comparison) {
    this.#machine = machine;
    this.#comparison = comparison;
    this.#dmsetup = new Dmsetup(machine.dm);
    this.#calls = new SystemCalls(machine);
    this.#programs = new TimedPrograms(machine, comparison, this.#calls);
    this.#throttled = new ThrottledPrograms(comparison);
    this.#replayers = this.#createReplayers();
  }

  /** Waits: as long as the step itself; for ever if the recorded machine would not have. */
  async step(op: GoldenOp, task: Task): Promise<void> {
    const replayer = this.#replayers.get(op.op);
    if (replayer !== undefined) {
      await replayer(op, task);
      return;
    }
    if (op.op === "inspect") {
      await passTime(op.cmd ?? "");
      this.#comparison.skip(`\`${op.cmd ?? ""}\` printed something for people`);
      return;
    }
    if ((await this.#programs.run(op, task)) || (await this.#throttled.run(op))) return;
    this.#comparison.skip(`only the recorded machine can run \`${op.cmd ?? op.op}\``);
    this.#comparison.becomeUncertain();
  }

  /** Compares the mapped devices that are left, and their numbers. */
  devicesAtEnd(recorded: Readonly<Record<string, string>>): void {
    const isMapped = ([number]: readonly [string, string]): boolean => number.startsWith("253:");
    const here = this.#machine.dm.list().map((device): [string, string] => {
      return [device.deviceNumber, `${device.kernelName} ${mangled(device.name)}`];
    });
    const inOrder = (devices: [string, string][]) => devices.sort(([a], [b]) => (a < b ? -1 : 1));
    const expected = Object.entries(recorded).filter(isMapped);
    this.#comparison.equal("devices at the end", inOrder(expected), inOrder(here));
  }

  #createReplayers(): ReadonlyMap<string, Replayer> {
    const named =
      (command: (name: string, task: Task) => Promise<Answer>): Replayer =>
      async (op, task) => {
        await this.#compareAnswer(op, await command(nameAsArrived(op.name ?? ""), task));
      };
    const onDevice =
      (result: (device: BlockDevice, op: GoldenOp, task: Task) => Promise<string>): Replayer =>
      async (op, task) => {
        const device = this.#machine.find(op.dev ?? "");
        const here = device === null ? "open:ENOENT" : await result(device, op, task);
        this.#comparison.equal("result", op.result, here);
        await this.#compareLog(op);
      };
    const calls = this.#calls;
    return new Map<string, Replayer>([
      ["create", (op, task) => this.#create(op, task)],
      ["load", (op, task) => this.#load(op, task)],
      ["suspend", named((name, task) => this.#dmsetup.suspend(name, task))],
      ["resume", named((name, task) => this.#dmsetup.resume(name, task))],
      ["clear", named((name, task) => this.#dmsetup.clear(name, task))],
      ["info", named((name) => Promise.resolve(this.#dmsetup.info(name)))],
      ["remove", (op, task) => this.#remove(op, task)],
      ["message", (op, task) => this.#message(op, task)],
      ["status", (op) => this.#status(op)],
      ["wait_status", (op) => this.#waitStatus(op)],
      ["read", (op, task) => this.#read(op, task)],
      ["write", onDevice((device, op, task) => this.#write(device, op, task))],
      ["writes", onDevice((device, op, task) => this.#writes(device, op, task))],
      ["flush", onDevice((device, _op, task) => calls.flush(device, task))],
      [
        "discard",
        onDevice((device, op, task) =>
          calls.discard(device, op.sector ?? 0, op.sectors ?? 0, task),
        ),
      ],
      [
        "zeroout",
        onDevice((device, op, task) =>
          calls.zeroout(device, op.sector ?? 0, op.sectors ?? 0, task),
        ),
      ],
      ["errormap", (op, task) => this.#errorMap(op, task)],
      ["limits", (op) => this.#limits(op)],
      ["poke", (op) => this.#poke(op)],
    ]);
  }

  async #create(op: GoldenOp, task: Task): Promise<void> {
    const lines = (op.table ?? []).map(asArrived);
    const flags = { isReadOnly: op.readOnly ?? false, hasNoTable: op.notable ?? false };
    const name = nameAsArrived(op.name ?? "");
    await this.#compareAnswer(op, await this.#dmsetup.create(name, lines, flags, task));
  }

  async #load(op: GoldenOp, task: Task): Promise<void> {
    const lines = (op.table ?? []).map(asArrived);
    await this.#compareAnswer(
      op,
      await this.#dmsetup.load(nameAsArrived(op.name ?? ""), lines, task),
    );
  }

  /**
   * A removal that cleans up was recorded with a short info before it, in some cases; others with a
   * list of what is left behind them, or with what other programs said of a device that is busy.
   */
  async #remove(op: GoldenOp, task: Task): Promise<void> {
    const name = nameAsArrived(op.name ?? "");
    const said = linesOf(op.output);
    const wasAsked = op.note === "cleanup" && !/^$|^device-mapper:/.test(said[0] ?? "");
    const info = wasAsked ? this.#dmsetup.shortInfo(name).output : [];
    const answer = await this.#dmsetup.remove(name, task);
    if (op.note !== undefined && op.note !== "cleanup") {
      this.#comparison.equal("output", said.slice(0, answer.output.length), answer.output);
      this.#comparison.skip("the rest of the output, and the exit code, are of other programs");
      return;
    }
    const isListed = op.note === undefined && said.length > 0 && answer.rc === 0;
    const output = isListed ? this.#dmsetup.list() : [...info, ...answer.output];
    await this.#compareAnswer(op, { ...answer, output });
  }

  async #message(op: GoldenOp, task: Task): Promise<void> {
    const { name = "", sector = 0, args = [] } = op;
    await this.#compareAnswer(op, await this.#dmsetup.message(name, sector, args, task));
  }

  #status(op: GoldenOp): Promise<void> {
    const name = nameAsArrived(op.name ?? "");
    const status = this.#dmsetup.status(name);
    const lines = op.status ?? linesOf(op.output);
    // Of this command the exit code was written down only where it is the point.
    const rc = lines.at(-1) === "Command failed." ? 1 : 0;
    this.#comparison.equal("exit code", op.rc ?? rc, status.rc);
    const here = [...this.#unread.splice(0), ...status.output];
    this.#comparison.equal("status", lines, here);
    if (op.table !== undefined) {
      this.#comparison.equal("table", op.table, this.#dmsetup.table(name).output);
    }
    return Promise.resolve();
  }

  async #waitStatus(op: GoldenOp): Promise<void> {
    const wanted = new RegExp(op.until_regex ?? "");
    let { output } = this.#dmsetup.status(op.name ?? "");
    for (
      let polls = 0;
      polls < POLL_COUNT && !output.some((line) => wanted.test(line));
      polls += 1
    ) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      output = this.#dmsetup.status(op.name ?? "").output;
    }
    this.#comparison.equal(
      "status that is waited for",
      op.output ?? "any",
      op.output === undefined ? "any" : output,
    );
  }

  async #read(op: GoldenOp, task: Task): Promise<void> {
    const { sector = 0, sectors = 0 } = op;
    const device = this.#machine.find(op.dev ?? "");
    if (device === null) {
      this.#comparison.equal("result", op.result, "open:ENOENT");
      return;
    }
    const bytes = new Uint8Array(sectors * SECTOR_BYTES);
    const result = await this.#inCalls(op, (at, part) => {
      const from = (at - sector) * SECTOR_BYTES;
      return this.#calls.read(device, at, bytes.subarray(from, from + part * SECTOR_BYTES), task);
    });
    this.#comparison.equal("result", op.result, result);
    await this.#compareLog(op);
    if (op.sha256 === undefined || result !== "ok") return;
    const isSame = sha256(bytes) === op.sha256;
    const runs = isSame ? op.sha256 : describeRuns(bytes, sector);
    this.#comparison.equal("data", op.sha256, runs);
  }

  #write(device: BlockDevice, op: GoldenOp, task: Task): Promise<string> {
    const { sector = 0, sectors = 0, seed, byte } = op;
    const bytes = new Uint8Array(sectors * SECTOR_BYTES);
    if (seed !== undefined) fillPattern(bytes, sector, seed);
    else bytes.fill(Number(byte ?? 0));
    return this.#inCalls(op, (at, part) => {
      const from = (at - sector) * SECTOR_BYTES;
      const data = bytes.subarray(from, from + part * SECTOR_BYTES);
      return this.#calls.write(device, at, { bytes: data, fua: op.fua ?? false }, task);
    });
  }

  async #writes(device: BlockDevice, op: GoldenOp, task: Task): Promise<string> {
    for (const [sector, sectors, seed] of op.list ?? []) {
      const result = await this.#write(device, { op: "write", sector, sectors, seed }, task);
      if (result !== "ok") return result;
    }
    return "ok";
  }

  /** Does an op in as many system calls as it took; ends with the first that is not `ok`. */
  async #inCalls(
    { sector = 0, sectors = 0, io_sectors: most = IO_SECTORS }: GoldenOp,
    call: (at: number, sectors: number) => Promise<string>,
  ): Promise<string> {
    for (let at = sector; at < sector + sectors; at += most) {
      const result = await call(at, Math.min(most, sector + sectors - at));
      if (result !== "ok") return result;
    }
    return "ok";
  }

  async #errorMap(op: GoldenOp, task: Task): Promise<void> {
    const { sector = 0, sectors = 0, step = 1 } = op;
    const device = this.#machine.find(op.dev ?? "");
    const runs: { at: number; length: number; result: string }[] = [];
    for (let at = sector; at < sector + sectors; at += step) {
      const length = Math.min(step, sector + sectors - at);
      const bytes = new Uint8Array(length * SECTOR_BYTES);
      const result =
        device === null ? "open:ENOENT" : await this.#calls.read(device, at, bytes, task);
      const kind = result.replace(/ at=.*$/, "");
      const last = runs.at(-1);
      if (last?.result === kind) last.length += length;
      else runs.push({ at, length, result: kind });
    }
    const here = runs.map(({ at, length, result }) => `${String(at)}+${String(length)}:${result}`);
    this.#comparison.equal("error map", op.map, here);
  }

  #limits(op: GoldenOp): Promise<void> {
    const device = this.#machine.find(op.dev ?? "");
    const here = device === null ? new Map<string, string>() : limitsOf(device);
    for (const [name, value] of parseLimits(op.output?.[0] ?? "")) {
      const reason = UNKNOWN_LIMITS.get(name);
      const recorded = asBytes(name, value, this.#hasSnapshot(op.dev ?? ""));
      if (reason === undefined) this.#comparison.equal(`limit ${name}`, recorded, here.get(name));
      else this.#comparison.skip(`limit ${name}: ${reason}`);
    }
    return Promise.resolve();
  }

  #hasSnapshot(dev: string): boolean {
    const name = dev.replace(/^\/dev\/mapper\//, "");
    return this.#dmsetup.table(name).output.some((line) => line.includes(" snapshot "));
  }

  #poke(op: GoldenOp): Promise<void> {
    const disk = this.#machine.find(op.dev ?? "");
    const { offset = 0, sectors = 0, hex = "" } = op;
    if (disk instanceof NumberedDisk) {
      const bytes = new Uint8Array(sectors * SECTOR_BYTES);
      bytes.set(Buffer.from(hex, "hex"));
      disk.pokeBytes(offset, bytes);
    }
    return Promise.resolve();
  }

  async #compareAnswer(op: GoldenOp, answer: Answer): Promise<void> {
    this.#comparison.equal("exit code", op.rc ?? 0, answer.rc);
    const ofTables = (op.kmsg ?? []).filter((line) => TABLE_LOG.test(line));
    this.#comparison.equal("kernel log", ofTables, answer.kmsg);
    await this.#compareLog(op, answer.refusal);
    // What a command that failed said, and was not read, stands before what was read next.
    if (answer.rc !== 0 && op.output === undefined) this.#unread.push(...answer.output);
    else this.#comparison.equal("output", linesOf(op.output), answer.output);
  }

  /**
   * Compares what targets told the kernel's log with what they tell here; why a table is refused is
   * told as part of the refusal.
   */
  async #compareLog(op: GoldenOp, refusal = ""): Promise<void> {
    const others = (op.kmsg ?? []).filter((line) => !TABLE_LOG.test(line));
    const texts = others.map(textOfTarget).filter((text) => text !== null);
    const recorded = texts.filter((text) => !refusal.includes(text));
    this.#comparison.compared += texts.length - recorded.length;
    const told = await this.#machine.log.take(recorded.length);
    if (recorded.length > 0) this.#comparison.equal("log of targets", recorded, told);
    if (texts.length < others.length) {
      this.#comparison.skip("kernel log lines of the block layer are not modelled");
    }
  }

  /** What targets told and no step has a recorded line for. */
  logAtEnd(): void {
    const rest = this.#machine.log.rest();
    if (rest.length > 0) this.#comparison.equal("log of targets", [], rest);
  }
}
