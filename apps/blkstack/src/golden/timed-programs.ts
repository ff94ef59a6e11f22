import type { BlockDevice } from "@blkstack/block";
import type { Task } from "@blkstack/task";
import { linesOf } from "./as-recorded.ts";
import type { GoldenOp } from "./case-file.ts";
import type { Comparison } from "./comparison.ts";
import type { Machine } from "./machine.ts";
import { fillPattern } from "./pattern.ts";
import type { SystemCalls } from "./system-calls.ts";

const SECTOR_BYTES = 512;
/** What the program that measures writes. */
const TIMED_BYTE = 0x5a;
/** Of a recorded time so much must pass here too, where it is long enough to be more than work. */
const LEAST_PART = 0.7;
const LEAST_COMPARED_SECONDS = 0.1;

const TIMED_IO =
  /^dio time (?<dev>\S+) (?<kind>[rw]) (?<start>\d+) (?<sectors>\d+) (?<step>\d+)(?: (?<threads>\d+))?$/;
const TIMED_FLUSH = /^cat \/proc\/uptime; dio flush (?<dev>\S+); cat \/proc\/uptime$/;
const SAMPLES =
  /while \[ \$i -lt \d+ \].*\(dio r (?<dev>\S+) 0 1 .*\(dio w \S+ (?<at>\d+) 1 (?<seed>\d+)\)/;

/** Programs that the recorded machine ran to see how long things take: they can be run here too. */
export class TimedPrograms {
  readonly #machine: Machine;
  readonly #comparison: Comparison;
  readonly #calls: SystemCalls;

  constructor(machine: Machine, comparison: Comparison, calls: SystemCalls) {
    this.#machine = machine;
    this.#comparison = comparison;
    this.#calls = calls;
  }

  /** Answers whether the command is one of them; then it was run, and what it said compared. */
  async run(op: GoldenOp, task: Task): Promise<boolean> {
    const command = op.cmd ?? "";
    const io = TIMED_IO.exec(command)?.groups;
    const flush = TIMED_FLUSH.exec(command)?.groups;
    const samples = SAMPLES.exec(command)?.groups;
    const device = this.#machine.find((io ?? flush ?? samples)?.["dev"] ?? "");
    if (device === null) return false;
    if (io !== undefined) await this.#timeIo(device, io, op, task);
    else if (flush !== undefined) await this.#timeFlush(device, op, task);
    else {
      const { at, seed } = samples ?? {};
      await this.#sample(device, { at: Number(at), seed: Number(seed) }, op, task);
    }
    return true;
  }

  /** So many requests, one after the other in each of several threads. */
  async #timeIo(
    device: BlockDevice,
    args: Readonly<Record<string, string>>,
    op: GoldenOp,
    task: Task,
  ): Promise<void> {
    const [start, sectors, step] = [args["start"], args["sectors"], args["step"]].map(Number);
    const results = new Set<string>();
    let [next, count] = [start ?? 0, 0];
    const end = next + (sectors ?? 0);
    const request = async (thread: Task): Promise<void> => {
      while (next < end) {
        const at = next;
        next += step ?? 1;
        count += 1;
        const bytes = new Uint8Array((step ?? 1) * SECTOR_BYTES).fill(TIMED_BYTE);
        const isRead = args["kind"] === "r";
        results.add(
          isRead
            ? await this.#calls.read(device, at, bytes, thread)
            : await this.#calls.write(device, at, { bytes, fua: false }, thread),
        );
      }
    };
    const seconds = await this.#inThreads(Number(args["threads"] ?? 1), request, task);
    const { bytes, ios, secs } = /secs=(?<secs>\S+) bytes=(?<bytes>\d+) ios=(?<ios>\d+)/.exec(
      linesOf(op.output)[0] ?? "",
    )?.groups ?? { bytes: "", ios: "", secs: "" };
    const here = [[...results].join(), String(count * (step ?? 1) * SECTOR_BYTES), String(count)];
    this.#comparison.equal("result", ["ok", bytes, ios], here);
    this.#compareTime(Number(secs), seconds);
  }

  async #timeFlush(device: BlockDevice, op: GoldenOp, task: Task): Promise<void> {
    const { clock } = this.#machine.scheduler;
    const beginMs = clock.nowMs();
    const here = await this.#calls.flush(device, task);
    const [before = "", result, after = ""] = linesOf(op.output);
    this.#comparison.equal("result", result, here);
    this.#compareTime(parseFloat(after) - parseFloat(before), (clock.nowMs() - beginMs) / 1000);
  }

  /** Reads and writes when it was recorded; what is compared is how it went in turn, not when. */
  async #sample(
    device: BlockDevice,
    { at, seed }: { readonly at: number; readonly seed: number },
    op: GoldenOp,
    task: Task,
  ): Promise<void> {
    const samples = linesOf(op.output).map(sampleOf);
    const { clock } = this.#machine.scheduler;
    const beginMs = clock.nowMs();
    const here: string[] = [];
    for (const { atSeconds } of samples) {
      const dueMs = beginMs + (atSeconds - (samples[0]?.atSeconds ?? 0)) * 1000;
      await new Promise((resolve) => setTimeout(resolve, dueMs - clock.nowMs()));
      const bytes = new Uint8Array(SECTOR_BYTES);
      const read = await this.#calls.read(device, 0, bytes, task);
      fillPattern(bytes, at, seed);
      const written = await this.#calls.write(device, at, { bytes, fua: false }, task);
      here.push(`${read === "ok" ? "ok" : "EIO"} ${written}`);
    }
    const recorded = samples.map(({ results }) => results);
    this.#comparison.equal("results in turn", inTurn(recorded), inTurn(here));
  }

  /** Seconds until all threads are done. */
  async #inThreads(
    count: number,
    body: (thread: Task) => Promise<void>,
    task: Task,
  ): Promise<number> {
    const { scheduler } = this.#machine;
    const beginMs = scheduler.clock.nowMs();
    const others = Array.from({ length: count - 1 }, () => {
      return new Promise<void>((resolve, reject) => {
        scheduler.spawn("thread", (thread) => body(thread).then(resolve, reject));
      });
    });
    await Promise.all([body(task), ...others]);
    return (scheduler.clock.nowMs() - beginMs) / 1000;
  }

  #compareTime(recordedSeconds: number, seconds: number): void {
    if (recordedSeconds < LEAST_COMPARED_SECONDS) return;
    const least = recordedSeconds * LEAST_PART;
    const said = `at least ${least.toFixed(2)} s`;
    this.#comparison.equal("time", said, seconds >= least ? said : `${seconds.toFixed(2)} s`);
  }
}

/** `4.43 sha256=3 ok`, `6.45 err=EIO  err=EIO at=50`: when, how a read went, and how a write. */
function sampleOf(line: string): { readonly atSeconds: number; readonly results: string } {
  const [at = "", read = "", ...written] = line.split(/ +/);
  const writeResult = written.join(" ").replace(/^err=/, "");
  return {
    atSeconds: Number(at),
    results: `${read.startsWith("err=") ? "EIO" : "ok"} ${writeResult}`,
  };
}

/** Each result as often as it changed to that. */
function inTurn(results: readonly string[]): string[] {
  return results.filter((result, index) => result !== results[index - 1]);
}
