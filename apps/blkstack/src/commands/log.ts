import {
  inspectLog,
  LogError,
  type LogReport,
  type Replayed,
  replayLog,
} from "@blkstack/dm-log-writes";
import { Command } from "commander";
import { type CommandContext, ExitStatus, printLine, type TextOutput } from "../cli-io.ts";
import { DiskImage, ImageFile } from "../image-file.ts";
import { coloursFor, formatTable } from "../table.ts";
import { UserError } from "../user-error.ts";

/** `blkstack log …`: what a log of writes holds, and the disk as it was at any point of it. */
export function logCommand(context: CommandContext): Command {
  return new Command("log")
    .description("read and replay logs of writes, as log-writes makes them")
    .addCommand(infoCommand(context))
    .addCommand(replayCommand(context));
}

function infoCommand({ io, exitWith }: CommandContext): Command {
  return new Command("info")
    .description("what a log holds, and whether all of it can be read; changes nothing")
    .argument("<log>", "the image of the log device")
    .option("--json", "one JSON object")
    .addHelpText("after", "\nExit status: 0 nothing is wrong, 1 something is, 2 usage.")
    .action(async (fileName: string, { json = false }: { json?: boolean }) => {
      const report = await inspect(fileName, io.cwd);
      if (json) printLine(io.stdout, jsonOf(fileName, report));
      else print(fileName, report, io.stdout);
      if (report.problem !== null) exitWith(ExitStatus.Found);
    });
}

function replayCommand({ io }: CommandContext): Command {
  return new Command("replay")
    .description("do the writes of a log again, on a copy of the disk as it was before them")
    .argument("<log>", "the image of the log device")
    .argument("<disk>", "the image of a disk, which is changed")
    .option("--to <place>", "up to the mark of this name, or so many entries; all, unless told")
    .option("--json", "one JSON object")
    .addHelpText(
      "after",
      "\nNothing is written unless all of it can be. Exit status: 0 done, 2 not.",
    )
    .action(async (logName: string, diskName: string, options: { to?: string; json?: boolean }) => {
      const { to, json = false } = options;
      const replayed = await replay(logName, diskName, { to, cwd: io.cwd });
      if (json) printLine(io.stdout, JSON.stringify({ log: logName, disk: diskName, ...replayed }));
      else printLine(io.stdout, `${diskName}: ${summary(replayed)}`);
    });
}

async function inspect(fileName: string, cwd: string): Promise<LogReport> {
  const file = await ImageFile.open("log", fileName, cwd);
  try {
    return await inspectLog(file);
  } finally {
    await file.close();
  }
}

async function replay(
  logName: string,
  diskName: string,
  { to, cwd }: { readonly to: string | undefined; readonly cwd: string },
): Promise<Replayed> {
  const log = await ImageFile.open("log", logName, cwd);
  try {
    const disk = await DiskImage.open("disk", diskName, cwd);
    try {
      const replayed = await replayLog(log, disk, to === undefined ? {} : { to: placeOf(to) });
      await disk.sync();
      return replayed;
    } finally {
      await disk.close();
    }
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    throw new UserError(`${logName} (${error.problem}): ${error.message}`);
  } finally {
    await log.close();
  }
}

/** A number counts entries; all else names a mark. */
function placeOf(text: string): string | number {
  return /^\d{1,15}$/.test(text) ? Number(text) : text;
}

function jsonOf(fileName: string, report: LogReport): string {
  // Only hostile logs claim more entries than a number can say exactly.
  const claimedEntries = Number(report.claimedEntries);
  return JSON.stringify({ file: fileName, ...report, claimedEntries });
}

function print(fileName: string, report: LogReport, output: TextOutput): void {
  const { green, red, yellow } = coloursFor(output);
  const { problem, isEnded, marks, markCount } = report;
  const verdict = isEnded
    ? "whole"
    : "not ended: writes behind its last FUA or mark may be missing";
  const said = isEnded ? green(verdict) : yellow(verdict);
  printLine(output, `${fileName}: ${problem === null ? said : red("damaged")}`);
  if (report.blockBytes > 0) {
    printLine(output, formatTable(["", ""], rowsOf(report), output).replace(/^\n/, ""));
  }
  for (const { text, number } of marks) printLine(output, `mark ${text} (entry ${String(number)})`);
  if (markCount > marks.length) {
    printLine(output, `and ${String(markCount - marks.length)} more marks`);
  }
  if (problem !== null) printLine(output, `${red("wrong")} ${problem.kind}: ${problem.message}`);
}

function rowsOf(report: LogReport): string[][] {
  const { blockBytes, claimedEntries, entries, writes, discards, flushes, fuas } = report;
  const { dataBytes, usedBytes, deviceSectors } = report;
  return [
    ["block size", `${String(blockBytes)} bytes`],
    ["entries", `${String(entries)} of ${String(claimedEntries)}`],
    ["writes", `${String(writes)}, ${String(dataBytes)} bytes`],
    ["discards", String(discards)],
    ["flushes", `${String(flushes)}, and ${String(fuas)} with FUA`],
    ["used", `${String(usedBytes)} bytes`],
    ["for a disk of", `${String(deviceSectors)} sectors at least`],
  ];
}

function summary({ entries, writes, discards, dataBytes }: Replayed): string {
  const counts = `${String(writes)} writes (${String(dataBytes)} bytes), ${String(discards)} discards`;
  return `replayed ${String(entries)} entries: ${counts}`;
}
