import { Command } from "commander";
import { type CommandContext, ExitStatus, printLine, type TextOutput } from "../cli-io.ts";
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
          printLine(io.stdout, listText(exports, io.stdout));
        },
      ),
    )
    .addCommand(
      verb("add", "offer a disk or device to clients")
        .argument("<name>")
        .argument("[device]", "the one of the same name, unless told")
        .option("--read-only", "refuse writes")
        .option("--description <text>", "for people, who see it when they list exports")
        .option("--group <group>", "within the limits and the share of a group")
        .option("--whole-blocks", "tell clients to keep to the blocks of the device")
        .action(async (name: string, device: string | undefined, flags: AddFlags) => {
          const { readOnly = false, description, group, wholeBlocks = false } = flags;
          const rest = { readOnly, description, group, wholeBlocks };
          const fields = { name, device: device ?? name, ...rest };
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
  readonly group?: string;
  readonly wholeBlocks?: boolean;
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

/** Groups have a column where there are some. */
function listText(exports: readonly ExportReport[], output: TextOutput): string {
  const hasGroups = exports.some(({ group }) => group !== undefined);
  const columns = ["export", "device", ...(hasGroups ? ["group"] : [])];
  const rows = exports.map(({ name, device, group = "", isReadOnly, clients, description }) => [
    JSON.stringify(name),
    device,
    ...(hasGroups ? [group] : []),
    isReadOnly ? "read" : "write",
    String(clients),
    description,
  ]);
  return formatTable([...columns, "access", "clients", "description"], rows, output);
}
