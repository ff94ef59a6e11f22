import { Command } from "commander";
import { type CommandContext, ExitStatus, printLine } from "../cli-io.ts";
import { ask, type Request } from "../control/ask.ts";
import type { ExportReport } from "../live-exports.ts";
import { formatTable } from "../table.ts";
import { controlOption } from "./dm.ts";

interface ExportFlags {
  readonly control: string;
  readonly json?: boolean;
}

/** `blkstack export VERB …`: what a server that runs offers to its clients. */
export function exportCommand(context: CommandContext): Command {
  const { io } = context;
  const verb = (name: string, description: string): Command =>
    new Command(name)
      .description(description)
      .addOption(controlOption())
      .option("--json", "one JSON object");
  return new Command("export")
    .description("add and remove exports of a running server")
    .addCommand(
      verb("ls", "the exports, and how many clients use them").action(
        async (flags: ExportFlags) => {
          const exports = await request({ verb: "export ls" }, flags, context);
          if (flags.json === true || exports === null) return;
          const head = ["export", "device", "access", "clients", "description"];
          printLine(io.stdout, formatTable(head, exports.map(rowOf), io.stdout));
        },
      ),
    )
    .addCommand(
      verb("add", "offer a disk or device to clients")
        .argument("<name>")
        .argument("[device]", "the one of the same name, unless told")
        .option("--read-only", "refuse writes")
        .option("--description <text>", "for people, who see it when they list exports")
        .action(async (name: string, device: string | undefined, flags: AddFlags) => {
          const { readOnly = false, description } = flags;
          const fields = { name, device: device ?? name, readOnly, description };
          await request({ verb: "export add", ...fields }, flags, context);
        }),
    )
    .addCommand(
      verb("remove", "offer one no more")
        .argument("<name>")
        .option("-f, --force", "even if clients use it: their connections are closed")
        .action(async (name: string, flags: ExportFlags & { readonly force?: boolean }) => {
          const { force = false } = flags;
          await request({ verb: "export remove", name, force }, flags, context);
        }),
    );
}

interface AddFlags extends ExportFlags {
  readonly readOnly?: boolean;
  readonly description?: string;
}

/** Answers the exports as they are then; null when the request was refused, which was told. */
async function request(
  asked: Request,
  { control, json }: ExportFlags,
  { io, exitWith }: CommandContext,
): Promise<readonly ExportReport[] | null> {
  const { error, exports = [] } = await ask(control, io.cwd, asked);
  if (error !== undefined) {
    printLine(io.stderr, `blkstack: ${error.message}`);
    exitWith(ExitStatus.Found);
    return null;
  }
  if (json === true) printLine(io.stdout, JSON.stringify({ exports }));
  return exports;
}

function rowOf({ name, device, isReadOnly, clients, description }: ExportReport): string[] {
  const access = isReadOnly ? "read" : "write";
  return [JSON.stringify(name), device, access, String(clients), description];
}
