import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Bytes, SECTOR_BYTES } from "@blkstack/bio";
import { type CrashPoint, crashPoints, LogError, LogReader } from "@blkstack/dm-log-writes";
import { Command, Option } from "commander";
import { type CliIo, type CommandContext, ExitStatus, printLine } from "../cli-io.ts";
import { CheckBench } from "../crash/check-bench.ts";
import { crashJson, crashText, type CrashReport } from "../crash/crash-report.ts";
import { loggedDevice } from "../crash/logged-device.ts";
import { parseLost } from "../crash/lost-list.ts";
import { logPathOf, record } from "../crash/record.ts";
import {
  type Failure,
  minimiseFailure,
  searchCrashes,
  type SearchResult,
  spread,
} from "../crash/search-crashes.ts";
import { ImageFile } from "../image-file.ts";
import { parseMemory, wholeNumber } from "../option-values.ts";
import { ProgressLine } from "../progress-line.ts";
import { readStackFile } from "../stack-file.ts";
import { UserError } from "../user-error.ts";

interface CrashFlags {
  readonly workload?: string;
  readonly check?: string;
  readonly checkSeconds: number;
  readonly export?: string;
  readonly log?: string;
  readonly marks?: boolean;
  readonly base?: string;
  readonly replay?: string;
  readonly points: number | "all";
  readonly subsets: number;
  readonly torn?: boolean;
  readonly ignoreFlushes?: boolean;
  readonly seed: number;
  readonly jobs: number;
  readonly point?: number;
  readonly lost?: string;
  readonly keep?: string;
  readonly memory: Bytes;
  readonly json?: boolean;
}

const JOBS_MAX = 8;
const CHECK_SECONDS_DEFAULT = 600;
const MEMORY_DEFAULT = "72MiB";

/** `blkstack crash STACK …`: records a workload, and checks what power cuts would leave of its disk. */
export function crashCommand(context: CommandContext): Command {
  return new Command("crash")
    .description("cut the power, in thought, at each flush of a workload, and check what is left")
    .argument("[stack]", "a stack file with a log-writes device; none with --replay")
    .option("--workload <command>", "what uses $uri; run in a shell, once")
    .option("--check <command>", "fails when $image, or $uri, is not well; run for each state")
    .addOption(
      numberOption(
        "--check-seconds <n>",
        "a check that takes longer is stopped, and has failed",
        1,
        CHECK_SECONDS_DEFAULT,
      ),
    )
    .option("--export <name>", "which export $uri of the workload is; as serve tells, unless told")
    .option("--log <device>", "the log-writes device, when the stack has several")
    .option("--marks", "each line that the workload prints is a mark, as of dm message … mark")
    .option("--base <image>", "the disk as it was at the start; copied then, unless told")
    .option("--replay <log>", "check what was recorded earlier; needs --base")
    .addOption(
      new Option("--points <n>", "all, or so many of them, spread over the log")
        .argParser(parsePoints)
        .default("all"),
    )
    .addOption(numberOption("--subsets <n>", "states of a point, of those with more", 1, 16))
    .option("--torn", "a write may be lost in part, each sector for itself")
    .option("--ignore-flushes", "as on a disk that acknowledges flushes and does nothing")
    .addOption(numberOption("--seed <n>", "of the lots that are drawn", 0, 0))
    .addOption(
      numberOption(
        "--jobs <n>",
        "checks side by side",
        1,
        Math.min(JOBS_MAX, availableParallelism()),
      ),
    )
    .option("--point <entry>", "with --replay: only this point", wholeNumber("--point", 0))
    .option("--lost <entries>", "with --point: only the state that has lost these")
    .option("--keep <folder>", "keep the disk as the power cut has left it, its base and its log")
    .addOption(
      new Option("--memory <size>", "what payload and copies may have in memory")
        .argParser(parseMemory)
        .default(parseMemory(MEMORY_DEFAULT), MEMORY_DEFAULT),
    )
    .option("--json", "one JSON object")
    .addHelpText("after", "\nExit status: 0 nothing found, 1 found, 2 usage.")
    .action((stack: string | undefined, flags: CrashFlags) => crash(stack, flags, context));
}

function numberOption(flags: string, description: string, min: number, fallback: number): Option {
  const [name = ""] = flags.split(" ");
  return new Option(flags, description).argParser(wholeNumber(name, min)).default(fallback);
}

function parsePoints(text: string): number | "all" {
  return text === "all" ? text : wholeNumber("--points", 1)(text);
}

async function crash(
  stack: string | undefined,
  flags: CrashFlags,
  { io, exitWith }: CommandContext,
): Promise<void> {
  checkFlags(stack, flags);
  const stopping = new AbortController();
  const unhook = io.onStopSignal(() => {
    if (stopping.signal.aborted) io.exitNow(ExitStatus.Found);
    stopping.abort();
  });
  const folder = await mkdtemp(join(tmpdir(), "blkstack-crash-"));
  try {
    const place = { io, folder, signal: stopping.signal };
    const recorded = await recordedBy(stack, flags, place);
    if (flags.keep !== undefined) await keepRecording(recorded, resolve(io.cwd, flags.keep));
    const { check } = flags;
    if (check === undefined) {
      printLine(
        io.stdout,
        flags.json === true
          ? JSON.stringify({ log: recorded.logPath })
          : `recorded ${recorded.logName}`,
      );
      return;
    }
    const report = await checkRecording(recorded, { ...flags, check }, place);
    printLine(
      io.stdout,
      flags.json === true ? JSON.stringify(crashJson(report)) : crashText(report, io.stdout),
    );
    if (report.result.failure !== null) exitWith(ExitStatus.Found);
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    throw new UserError(`the log (${error.problem}): ${error.message}`);
  } finally {
    unhook();
    await rm(folder, { recursive: true, force: true });
  }
}

function checkFlags(stack: string | undefined, flags: CrashFlags): void {
  const { workload, check, replay, base, point, lost, keep } = flags;
  if (replay !== undefined) {
    if (stack !== undefined || workload !== undefined) {
      throw new UserError("--replay checks what was recorded; leave the stack and --workload out");
    }
    if (base === undefined) throw new UserError("--replay needs --base, the disk as it was before");
    if (check === undefined) throw new UserError("nothing to check with; give --check");
  } else if (stack === undefined || workload === undefined) {
    throw new UserError(
      "nothing to record; give a stack file and --workload, or --replay and a log",
    );
  } else if (check === undefined && keep === undefined) {
    throw new UserError("give --check, or --keep and a folder for what is recorded");
  }
  if (point !== undefined && replay === undefined) {
    throw new UserError("--point is one of a log that is recorded; give that by --replay");
  }
  if (lost !== undefined && point === undefined) {
    throw new UserError("--lost says what is lost at a --point");
  }
}

/** A log, and the disk as it was before. */
interface Recorded {
  readonly logPath: string;
  readonly basePath: string;
  /** As the user calls them; a base that the user does not have is null. */
  readonly logName: string;
  readonly baseName: string | null;
}

interface Place {
  readonly io: CliIo;
  /** For what is only needed now. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

async function recordedBy(
  stackName: string | undefined,
  flags: CrashFlags,
  { io, folder, signal }: Place,
): Promise<Recorded> {
  const { replay, base, workload = "" } = flags;
  const inCwd = (name: string): string => resolve(io.cwd, name);
  if (stackName === undefined) {
    const [logName = "", baseName = ""] = [replay, base];
    return { logPath: inCwd(logName), basePath: inCwd(baseName), logName, baseName };
  }
  const plan = await readStackFile(stackName, io.cwd);
  const logged = loggedDevice(plan.description, flags.log);
  const basePath = base === undefined ? join(folder, "base.img") : inCwd(base);
  await record({
    plan,
    logged,
    workload,
    exportName: flags.export,
    hasOutputMarks: flags.marks === true,
    memoryBytes: flags.memory,
    basePath: base === undefined ? basePath : null,
    folder,
    io,
    signal,
  });
  const logPath = logPathOf(plan, logged);
  return { logPath, basePath, logName: logged.logPath, baseName: base ?? null };
}

async function keepRecording({ logPath, basePath }: Recorded, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [from, name] of [
    [logPath, "writes.log"],
    [basePath, "base.img"],
  ] as const) {
    await copyFile(from, join(folder, name));
  }
}

async function checkRecording(
  recorded: Recorded,
  flags: CrashFlags & { readonly check: string },
  { io, folder, signal }: Place,
): Promise<CrashReport> {
  const log = await ImageFile.open("log", recorded.logPath, "/");
  const base = await ImageFile.open("base", recorded.basePath, "/");
  const sizeBytes = base.sizeBytes;
  await base.close();
  const benches: CheckBench[] = [];
  const { check, checkSeconds, keep, torn = false, ignoreFlushes = false, seed, subsets } = flags;
  const progress = new ProgressLine(io.stderr, flags.json === true ? false : undefined);
  try {
    const points: CrashPoint[] = [];
    for await (const point of crashPoints(await LogReader.open(log), { ignoreFlushes })) {
      checkFits(point, sizeBytes);
      points.push(point);
    }
    const jobs = flags.point === undefined ? flags.jobs : 1;
    for (let job = 0; job < jobs; job += 1) {
      const place = { folder: join(folder, `job-${String(job)}`), cwd: io.cwd, env: io.env };
      const { logPath, basePath } = recorded;
      const command = { command: check, timeoutMs: checkSeconds * 1000 };
      benches.push(
        await CheckBench.open({ ...command, logPath, basePath, sizeBytes, signal, ...place }),
      );
    }
    const states = { statesMax: subsets, torn, seed };
    const isWanted = wantedPoint(points, flags);
    const onProgress = (index: number, done: number): void => {
      const place = `point ${String(index + 1)} of ${String(points.length)}`;
      progress.showText(`${place}, ${String(done)} states checked`);
    };
    const wanted = { points, isWanted, states, benches, signal, onProgress };
    const result =
      flags.lost === undefined
        ? await searchCrashes(wanted)
        : await oneState(
            points,
            points.findIndex((_, index) => isWanted(index)),
            flags.lost,
            benches,
          );
    if (signal.aborted) throw new UserError(`stopped after ${String(result.states)} states`);
    const smallest = await smallestOf(result, points, flags);
    progress.clear();
    let keptName: string | null = null;
    if (keep !== undefined && smallest !== null) {
      keptName = join(keep, "crash.img");
      await result.bench?.rebuild(points, smallest.index, smallest.state);
      await result.bench?.keep(resolve(io.cwd, keptName));
    }
    const entries = points.at(-1)?.afterEntry ?? 0;
    return { recorded, entries, points, result, smallest, keptName, keep: keep ?? null, flags };
  } finally {
    progress.clear();
    for (const bench of benches) await bench.close();
    await log.close();
  }
}

/** A base of another disk, or a log of one, is found out before anything is checked. */
function checkFits({ loose, behindFlush, settled }: CrashPoint, sizeBytes: Bytes): void {
  const writes = [...settled, ...loose, ...(behindFlush === null ? [] : [behindFlush])];
  for (const { entry } of writes) {
    if ((entry.sector + entry.sectors) * SECTOR_BYTES <= sizeBytes) continue;
    const range = `sectors ${String(entry.sector)}+${String(entry.sectors)}`;
    const text = `entry ${String(entry.number)} of the log is for ${range}`;
    throw new UserError(
      `${text}, and the base has ${String(Math.floor(sizeBytes / SECTOR_BYTES))}`,
    );
  }
}

function wantedPoint(
  points: readonly CrashPoint[],
  { point, points: wanted }: CrashFlags,
): (index: number) => boolean {
  if (point === undefined) return spread(points.length, wanted);
  const chosen = points.findIndex(({ afterEntry }) => afterEntry === point);
  if (chosen < 0) {
    const near = points.findLast(({ afterEntry }) => afterEntry < point)?.afterEntry ?? 0;
    const text = `the point before it is ${String(near)}`;
    throw new UserError(`--point ${String(point)}: nothing becomes durable there; ${text}`);
  }
  return (index) => index === chosen;
}

async function oneState(
  points: readonly CrashPoint[],
  index: number,
  lostText: string,
  [bench]: readonly CheckBench[],
): Promise<SearchResult> {
  const point = points[index];
  if (point === undefined || bench === undefined) throw new UserError("--lost needs a --point");
  const state = { point, lost: parseLost(lostText, point) };
  const checked = await bench.check(points, index, state);
  const failure = checked.isWell ? null : { index, state, checked };
  return { tallies: [{ point, states: 1 }], states: 1, failure, bench };
}

/** Who has said what is lost wants to see just that. */
async function smallestOf(
  { failure, bench }: SearchResult,
  points: readonly CrashPoint[],
  { lost }: CrashFlags,
): Promise<(Failure & { readonly checks: number }) | null> {
  if (failure === null || bench === null) return null;
  return lost === undefined ? minimiseFailure(failure, points, bench) : { ...failure, checks: 0 };
}
