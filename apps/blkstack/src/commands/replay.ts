import {
  DivergenceError,
  parseTrace,
  replay,
  type Trace,
  TraceFormatError,
} from "@blkstack/explorer";
import { Command } from "commander";
import { type CommandContext, ExitStatus } from "../cli-io.ts";
import { findScenario } from "../find-scenario.ts";
import { optionNotYet } from "../not-yet.ts";
import { UserError } from "../user-error.ts";
import { readUserFile } from "../user-file.ts";

/** `blkstack replay TRACE`: exit status 1 when the run fails again. */
export function replayCommand({ io, exitWith }: CommandContext): Command {
  return new Command("replay")
    .description("repeat a trace of explore step by step")
    .argument("<trace>", "the file that explore --trace wrote")
    .addOption(optionNotYet("--perfetto <file>"))
    .addHelpText("after", "\nExit status: 0 it does not fail any more, 1 it fails, 2 usage.")
    .action(async (fileName: string) => {
      const trace = await readTrace(fileName, io.cwd);
      const { scenario } = findScenario(`${trace.scenario}:${trace.variant}`);
      const { report } = await replay(scenario, trace).catch((error: unknown) => {
        if (!(error instanceof DivergenceError)) throw error;
        throw new UserError(`${fileName} does not fit this version: ${error.message}`);
      });
      io.stdout.write(report.story);
      if (report.verdict === "found") exitWith(ExitStatus.Found);
    });
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
