import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { LogError } from "@blkstack/dm-log-writes";
import { Command, Option } from "commander";
import { type CommandContext, ExitStatus, printLine } from "../cli-io.ts";
import { checkRecording } from "../crash/check-recording.ts";
import { checkFlags, type CrashFlags } from "../crash/crash-flags.ts";
import { crashJson, crashText } from "../crash/crash-report.ts";
import { keepRecording, recordingOf } from "../crash/recording.ts";
import { parseMemory, wholeNumber } from "../option-values.ts";
import { UserError } from "../user-error.ts";

const JOBS_MAX = 8;
const CHECK_SECONDS_DEFAULT = 600;
const MEMORY_DEFAULT = "136MiB";

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
    const recording = await recordingOf(stack, flags, place);
    if (flags.keep !== undefined) await keepRecording(recording, resolve(io.cwd, flags.keep));
    const { check } = flags;
    if (check === undefined) {
      printLine(
        io.stdout,
        flags.json === true
          ? JSON.stringify({ log: recording.logPath })
          : `recorded ${recording.logName}`,
      );
      return;
    }
    const report = await checkRecording(recording, { ...flags, check }, place);
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
