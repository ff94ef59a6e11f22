import {
  DivergenceError,
  looksLikeReplayLine,
  parseReplayLine,
  parseTrace,
  replay,
  ReplayLineError,
  toChromeTrace,
  type Trace,
  TraceFormatError,
} from "@blkstack/explorer";
import { Command } from "commander";
import { type CommandContext, ExitStatus, printLine } from "../cli-io.ts";
import { findScenario } from "../find-scenario.ts";
import { fromOption, scenarioSource } from "../scenario-source.ts";
import { shown, type ShowFlags, withShowOptions } from "../show-report.ts";
import { UserError } from "../user-error.ts";
import { readUserFile, writeUserFile } from "../user-file.ts";

interface ReplayFlags extends ShowFlags {
  readonly from?: string;
  readonly perfetto?: string;
}

/** `blkstack replay TRACE`: exit status 1 when the run fails again. */
export function replayCommand({ io, exitWith }: CommandContext): Command {
  const command = new Command("replay")
    .description("repeat a run that explore found")
    .argument("<run>", "the line that explore printed, or the file that explore --trace wrote")
    .addOption(fromOption())
    .option("--perfetto <file>", "writes the run for ui.perfetto.dev or chrome://tracing");
  return withShowOptions(command)
    .addHelpText("after", "\nExit status: 0 it does not fail any more, 1 it fails, 2 usage.")
    .action(async (run: string, { perfetto, from, ...flags }: ReplayFlags) => {
      const what = looksLikeReplayLine(run) ? checkedLine(run) : await readTrace(run, io.cwd);
      const { scenario, variant } = typeof what === "string" ? parseReplayLine(what) : what;
      const source = await scenarioSource(from, io.cwd);
      const wanted = findScenario(`${scenario}:${variant}`, source);
      const story = { story: flags.full === true ? "full" : "short" } as const;
      const { report } = await replay(wanted.scenario, what, story).catch((error: unknown) => {
        if (!(error instanceof DivergenceError)) throw error;
        throw new UserError(`${run} does not fit this version: ${error.message}`);
      });
      if (perfetto !== undefined && report.trace !== null) {
        await writeUserFile(perfetto, JSON.stringify(toChromeTrace(report.trace)), io.cwd);
      }
      printLine(io.stdout, shown(report, flags));
      if (report.verdict === "found") exitWith(ExitStatus.Found);
    });
}

function checkedLine(text: string): string {
  try {
    parseReplayLine(text);
    return text;
  } catch (error) {
    if (!(error instanceof ReplayLineError)) throw error;
    throw new UserError(`cannot read the run: ${error.message}`);
  }
}

async function readTrace(fileName: string, cwd: string): Promise<Trace> {
  const text = await readUserFile("trace", fileName, cwd);
  try {
    return parseTrace(text);
  } catch (error) {
    if (!(error instanceof TraceFormatError)) throw error;
    throw new UserError(`cannot read the trace ${fileName}: ${error.message}`);
  }
}
