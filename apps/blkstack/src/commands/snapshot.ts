import {
  CowLayout,
  type CowReport,
  EARLY_WARNING_PERCENT,
  inspectCow,
} from "@blkstack/dm-snapshot";
import { EventLoopScheduler } from "@blkstack/task/node";
import { Command } from "commander";
import { type CommandContext, ExitStatus, printLine, type TextOutput } from "../cli-io.ts";
import { FileCowIo } from "../file-cow-io.ts";
import { coloursFor, formatTable } from "../table.ts";

/** `blkstack snapshot info COW`: what a COW image holds, and what is wrong with it. */
export function snapshotCommand({ io, exitWith }: CommandContext): Command {
  const info = new Command("info")
    .description("what a COW image holds, and all that is wrong with it; changes nothing")
    .argument("<cow>", "the COW image of a persistent snapshot")
    .option("--json", "one JSON object")
    .addHelpText("after", "\nExit status: 0 nothing is wrong, 1 something is, 2 usage.")
    .action(async (fileName: string, { json = false }: { json?: boolean }) => {
      const found = extend(await inspect(fileName, io.cwd));
      if (json) printLine(io.stdout, JSON.stringify({ file: fileName, ...found }));
      else print(fileName, found, io.stdout);
      if (found.problemCount > 0) exitWith(ExitStatus.Found);
    });
  return new Command("snapshot").description("look at snapshots").addCommand(info);
}

async function inspect(fileName: string, cwd: string): Promise<CowReport> {
  const file = await FileCowIo.open(fileName, cwd);
  try {
    return await new Promise((resolve, reject) => {
      new EventLoopScheduler().spawn(`look at ${fileName}`, async (task) => {
        await inspectCow(file, task).then(resolve, reject);
      });
    });
  } finally {
    await file.close();
  }
}

interface Found extends CowReport {
  /** How many more chunks fit. */
  readonly remainingChunks: number;
  /** Whether whoever serves it has been warned that it gets full. */
  readonly isNearlyFull: boolean;
}

function extend(report: CowReport): Found {
  const { header, state, totalSectors, usedSectors, usedPercent } = report;
  const isNearlyFull = usedPercent >= EARLY_WARNING_PERCENT;
  if (header === null || state !== "valid") return { ...report, remainingChunks: 0, isNearlyFull };
  const layout = new CowLayout(header.chunkSectors);
  const used = layout.dataChunksBefore(usedSectors / header.chunkSectors);
  const remainingChunks = Math.max(0, layout.capacity(totalSectors) - used);
  return { ...report, remainingChunks, isNearlyFull };
}

function print(fileName: string, found: Found, output: TextOutput): void {
  const { green, red, yellow } = coloursFor(output);
  const { problems, problemCount, isNearlyFull } = found;
  printLine(
    output,
    `${fileName}: ${problemCount === 0 ? green(VERDICTS[found.state]) : red("damaged")}`,
  );
  printLine(output, formatTable(["", ""], rowsOf(found), output).replace(/^\n/, ""));
  if (isNearlyFull && problemCount === 0) {
    printLine(output, yellow(`warning: more than ${String(EARLY_WARNING_PERCENT)} % full`));
  }
  for (const { kind, message } of problems)
    printLine(output, `${red("wrong")} ${kind}: ${message}`);
  const untold = problemCount - problems.length;
  if (untold > 0) printLine(output, `and ${String(untold)} more`);
}

const VERDICTS: Readonly<Record<CowReport["state"], string>> = {
  new: "empty; becomes a store when it is first used",
  valid: "nothing wrong",
  invalid: "marked as invalid",
  unknown: "no COW image",
};

function rowsOf(found: Found): string[][] {
  const { header, state, totalSectors, usedSectors, metadataSectors, usedPercent } = found;
  const total = sectors(totalSectors);
  if (header === null || state === "new" || state === "unknown") {
    return [...headerRows(found), ["space", total]];
  }
  return [
    ...headerRows(found),
    ["chunk size", sectors(header.chunkSectors)],
    ["exceptions", `${String(found.exceptions)} in ${count(found.areas, "area")}`],
    ["room for", `${String(found.remainingChunks)} more`],
    ["used", `${sectors(usedSectors)} of ${total}, ${usedPercent.toFixed(1)} %`],
    ["of that metadata", sectors(metadataSectors)],
  ];
}

function headerRows({ header }: Found): string[][] {
  if (header === null) return [];
  const { magic, version, valid } = header;
  const text = `magic 0x${magic.toString(16)}, version ${String(version)}, valid ${String(valid)}`;
  return [["header", text]];
}

function sectors(number: number): string {
  const kibibytes = number / 2;
  const size = kibibytes < 4096 ? `${String(kibibytes)} KiB` : `${String(kibibytes / 1024)} MiB`;
  return `${count(number, "sector")} (${size.replace(/(\.\d)\d+/, "$1")})`;
}

function count(number: number, what: string): string {
  return `${String(number)} ${what}${number === 1 ? "" : "s"}`;
}
