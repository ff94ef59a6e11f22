import { Command, Option } from "commander";
import { type CommandContext, ExitStatus, printLine } from "../cli-io.ts";
import type { Answer } from "../control/answer.ts";
import { ask, type Request } from "../control/ask.ts";

/** What every command that asks a running server is told. */
export interface ControlFlags {
  readonly control: string;
  readonly json?: boolean;
}

/** A command that asks a running server: which one, and whether a program reads the answer. */
export function controlVerb(name: string, description: string): Command {
  const control = new Option("--control <path>", "the socket of the server, as it was told");
  return new Command(name)
    .description(description)
    .addOption(control.makeOptionMandatory())
    .option("--json", "one JSON object");
}

/** Asks. Null when there is nothing for people to read: it was refused, or the answer is JSON. */
export async function askForPeople(
  request: Request,
  { control, json }: ControlFlags,
  { io, exitWith }: CommandContext,
): Promise<Answer | null> {
  const answer = await ask(control, io.cwd, request);
  if (answer.error !== undefined) {
    printLine(io.stderr, `blkstack: ${answer.error.message}`);
    exitWith(ExitStatus.Found);
    return null;
  }
  if (json !== true) return answer;
  printLine(io.stdout, JSON.stringify(answer));
  return null;
}
