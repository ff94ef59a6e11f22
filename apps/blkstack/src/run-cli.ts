import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { type CliIo, type CommandContext, ExitStatus, printLine } from "./cli-io.ts";
import { checkCommand } from "./commands/check.ts";
import { crashCommand } from "./commands/crash.ts";
import { demoCommand } from "./commands/demo.ts";
import { dmCommand } from "./commands/dm.ts";
import { exploreCommand } from "./commands/explore.ts";
import { exportCommand } from "./commands/export.ts";
import { goldenCommand } from "./commands/golden.ts";
import { groupCommand } from "./commands/group.ts";
import { logCommand } from "./commands/log.ts";
import { reloadCommand } from "./commands/reload.ts";
import { replayCommand } from "./commands/replay.ts";
import { scenariosCommand } from "./commands/scenarios.ts";
import { serveCommand } from "./commands/serve.ts";
import { snapshotCommand } from "./commands/snapshot.ts";
import { userMessage } from "./user-error.ts";

const COMMANDS = [
  checkCommand,
  serveCommand,
  dmCommand,
  exportCommand,
  groupCommand,
  reloadCommand,
  scenariosCommand,
  exploreCommand,
  replayCommand,
  goldenCommand,
  snapshotCommand,
  logCommand,
  crashCommand,
  demoCommand,
];

/** Runs one command line, without the name of the program; answers the exit status. Never throws. */
export async function runCli(argv: readonly string[], io: CliIo): Promise<number> {
  let status: number = ExitStatus.Ok;
  const context: CommandContext = {
    io,
    exitWith(wanted) {
      status = wanted;
    },
  };
  try {
    await programOf(context).parseAsync(argv, { from: "user" });
    return status;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return ExitStatus.Ok;
    return report(error, io);
  }
}

function programOf(context: CommandContext): Command {
  const { io } = context;
  const program = new Command("blkstack")
    .description(
      "A stacking block layer: serve stacks of devices over NBD, explore their schedules.",
    )
    .version(version());
  for (const makeCommand of COMMANDS) program.addCommand(makeCommand(context));
  for (const command of withSubcommands(program)) {
    command
      .exitOverride()
      .allowExcessArguments(false)
      .configureOutput({
        writeOut: (text) => io.stdout.write(text),
        // Complaints are said once, in one line, by `report`.
        writeErr: () => undefined,
        outputError: () => undefined,
      });
  }
  return program;
}

/** That of the package, which is beside the sources as well as beside what is built of them. */
function version(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

function withSubcommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)];
}

function report(error: unknown, { stderr, env }: CliIo): number {
  const message = userMessage(error);
  if (message !== undefined) {
    printLine(stderr, `blkstack: ${message}`);
    return ExitStatus.Usage;
  }
  const text = error instanceof Error ? error.message : String(error);
  const stack = error instanceof Error ? error.stack : undefined;
  const isDebugging = (env["BLKSTACK_DEBUG"] ?? "") !== "";
  const hint = isDebugging ? "" : " (BLKSTACK_DEBUG=1 tells where)";
  printLine(stderr, `blkstack: internal error: ${text.split("\n")[0] ?? ""}${hint}`);
  if (isDebugging && stack !== undefined) printLine(stderr, stack);
  return ExitStatus.Internal;
}
