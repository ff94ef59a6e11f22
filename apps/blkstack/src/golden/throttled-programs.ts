import { BlockError } from "@blkstack/block";
import { formatIoMax, type GroupLimits, NO_LIMITS, parseIoMax } from "@blkstack/throttle";
import { linesOf } from "./as-recorded.ts";
import type { GoldenOp } from "./case-file.ts";
import type { Comparison } from "./comparison.ts";
import { type Program, ThrottledMachine } from "./throttled-machine.ts";

/** A recorded time may be so much longer or shorter here: the recorded clock ticked every 4 ms. */
const TIME_PART = 0.03;
const TIME_SECONDS = 0.03;
/** Shorter ones are those of a disk, not of limits. */
const LEAST_COMPARED_SECONDS = 0.1;
/**
 * So far each of a row of requests may end from when it was recorded to end: where in a slice of
 * 100 ms an operation goes is another matter than in which.
 */
const TRACE_MS = 60;

const SETUP = "mkdir -p /cg; mount -t cgroup2 ";
const PARSING =
  /(?:^|\n)for l in (?<lines>"[^;]*"); do echo "> \$l"; echo "\$l" > \/cg\/g\/io\.max; /;
const PROGRAM = /^sh \/t\.sh "(?<line>[^"]*)" (?<args>[^;]*); cat \/cg\/g\/io\.stat$/;
const PROGRAMS =
  /^echo [^;]*; d=\$\(cat \/sys\/block\/nullb0\/dev\); for l in (?<lines>"[^;]*"); do (?<body>.*); cat \/cg\/g\/io\.max \/cg\/g\/io\.stat; done$/;
const NULL_DISK = "252:0";
/** Where the recorded shell complains of what the kernel answers. */
const COMPLAINTS: Readonly<Record<string, string>> = {
  ERANGE: "sh: write error: Numerical result out of range",
  EINVAL: "sh: write error: Invalid argument",
  ENODEV: "sh: write error: No such device",
};
/** More than 64 bits hold: the recorded kernel is left with those that they do. */
const TOO_MANY_DIGITS = "99999999999999999999";

/** Programs that the recorded machine ran within limits, run here within the same, in virtual time. */
export class ThrottledPrograms {
  readonly #comparison: Comparison;
  readonly #machine = new ThrottledMachine(["254:0", NULL_DISK]);

  constructor(comparison: Comparison) {
    this.#comparison = comparison;
  }

  /** Answers whether the command is one of them; then it was run, and what it said compared. */
  async run(op: GoldenOp): Promise<boolean> {
    const command = op.cmd ?? "";
    const output = linesOf(op.output);
    const one = PROGRAM.exec(command)?.groups;
    const several = PROGRAMS.exec(command)?.groups;
    if (command.startsWith(SETUP)) {
      this.#comparison.skip("groups are made when their first limit is set");
    } else if (PARSING.test(command)) {
      this.#parse(quoted(PARSING.exec(command)?.groups?.["lines"] ?? ""), output);
    } else if (one !== undefined) {
      const [said = "", ...stat] = output;
      await this.#program(one["line"] ?? "", one["args"] ?? "", said, stat);
      this.#stat(stat);
    } else if (several !== undefined) {
      await this.#programs(quoted(several["lines"] ?? ""), several["body"] ?? "", output);
    } else return false;
    return true;
  }

  /** Each line, the complaint if there was one, and what is set then. */
  #parse(lines: readonly string[], output: readonly string[]): void {
    let limits: GroupLimits = NO_LIMITS;
    const here: string[] = [];
    for (const line of lines) {
      here.push(`> ${line}`);
      let rc = 0;
      try {
        limits = parseIoMax(line, (...number) => {
          return number.join(":") === "254:0" ? limits : undefined;
        }).limits;
      } catch (error) {
        if (!(error instanceof BlockError)) throw error;
        here.push(COMPLAINTS[error.errno] ?? error.message);
        rc = 1;
      }
      here.push(`rc=${String(rc)} [${formatIoMax("254:0", limits)}]`);
    }
    const from = output.findIndex((line) => line.includes(TOO_MANY_DIGITS));
    const to = output.findLastIndex((line) => line.startsWith("> "));
    this.#comparison.equal("io.max", output.slice(0, from), here.slice(0, from));
    this.#comparison.equal("io.max at last", output.slice(to), here.slice(to));
    this.#comparison.skip("what 64 bits cannot hold is no limit here");
  }

  async #programs(
    lines: readonly string[],
    body: string,
    output: readonly string[],
  ): Promise<void> {
    const commands = [...body.matchAll(/sh \/t\.sh "\$d \$l" (?<args>[^;]*)/g)];
    const rest = [...output];
    for (const line of lines) {
      const said = rest.splice(0, commands.length);
      const [max = "", ...stat] = rest.splice(0, 3);
      for (const [index, { groups }] of commands.entries()) {
        await this.#program(`${NULL_DISK} ${line}`, groups?.["args"] ?? "", said[index] ?? "", []);
      }
      this.#comparison.equal("io.max", max, this.#machine.ioMax(NULL_DISK));
      this.#stat(stat);
    }
  }

  async #program(line: string, args: string, said: string, stat: readonly string[]): Promise<void> {
    const device = this.#machine.setLimits(line);
    const program = programOf(args);
    const countBefore = this.#machine.ioCount(device, program.isRead);
    const countAfter = Number(
      new RegExp(`^${device} .*\\b${program.isRead ? "rios" : "wios"}=(?<count>\\d+)`, "m").exec(
        stat.join("\n"),
      )?.groups?.["count"] ?? NaN,
    );
    // What the recorded machine cut a request into is charged so often.
    const parts = Math.max(1, Math.round((countAfter - countBefore) / program.requests) || 1);
    const endsMs = await this.#machine.run(device, program, parts);
    const what = `${line.replace(/^\S+ /, "")}: ${args}`;
    if (args.includes("trace ")) this.#compareTrace(what, said.split(" ").map(Number), endsMs);
    else this.#compareTime(what, said, program, endsMs);
  }

  #compareTrace(what: string, recordedMs: readonly number[], endsMs: readonly number[]): void {
    const here = endsMs.join(" ");
    this.#comparison.figure(what, recordedMs.join(" "), here);
    const isNear = recordedMs.every((ms, index) => {
      return Math.abs(ms - (endsMs[index] ?? NaN)) <= TRACE_MS;
    });
    const recorded = recordedMs.join(" ");
    this.#comparison.equal(
      `times within ${String(TRACE_MS)} ms`,
      recorded,
      isNear && recordedMs.length === endsMs.length ? recorded : here,
    );
  }

  #compareTime(what: string, said: string, program: Program, endsMs: readonly number[]): void {
    const { secs, bytes, ios } =
      /^ok secs=(?<secs>\S+) bytes=(?<bytes>\d+) ios=(?<ios>\d+)/.exec(said)?.groups ?? {};
    const done = [String(program.requests * program.requestBytes), String(program.requests)];
    this.#comparison.equal("bytes and requests", [bytes, ios], done);
    const [recorded, here] = [Number(secs), Math.max(...endsMs) / 1000];
    if (recorded < LEAST_COMPARED_SECONDS) return;
    this.#comparison.figure(what, `${recorded.toFixed(3)} s`, `${here.toFixed(3)} s`);
    const slackSeconds = Math.max(TIME_SECONDS, recorded * TIME_PART);
    const isNear = Math.abs(here - recorded) <= slackSeconds;
    const wanted = `${recorded.toFixed(3)} s, by ${slackSeconds.toFixed(3)} s`;
    this.#comparison.equal("time", wanted, isNear ? wanted : `${here.toFixed(3)} s`);
  }

  #stat(recorded: readonly string[]): void {
    this.#comparison.equal("io.stat", recorded, this.#machine.ioStat());
  }
}

/** `time /dev/vda r 0 8192 128 8`: sectors, sectors of a request, threads. */
function programOf(args: string): Program {
  const [kind = "", sectors = "", step = "", threads = "1"] = args
    .slice(args.search(/ [rw] /) + 1)
    .split(" ")
    .filter((_, index) => index !== 1);
  return {
    isRead: kind === "r",
    requests: Number(sectors) / Number(step),
    requestBytes: Number(step) * 512,
    threads: Number(threads),
  };
}

function quoted(words: string): string[] {
  return [...words.matchAll(/"(?<word>[^"]*)"/g)].map(({ groups }) => groups?.["word"] ?? "");
}
