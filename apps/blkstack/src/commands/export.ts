import { Command } from "commander";
import { type CommandContext, printLine, type TextOutput } from "../cli-io.ts";
import type { ExportReport } from "../live-exports.ts";
import { formatTable } from "../table.ts";
import { askForPeople, type ControlFlags, controlVerb } from "./control-verb.ts";

/** `blkstack export VERB …`: what a server that runs offers to its clients. */
export function exportCommand(context: CommandContext): Command {
  const { io } = context;
  return new Command("export")
    .description("add and remove exports of a running server")
    .addCommand(
      controlVerb("ls", "the exports, and how many clients use them").action(
        async (flags: ControlFlags) => {
          const answer = await askForPeople({ verb: "export ls" }, flags, context);
          if (answer === null) return;
          printLine(io.stdout, listText(answer.exports ?? [], io.stdout));
        },
      ),
    )
    .addCommand(
      controlVerb("add", "offer a disk or device to clients")
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
          await askForPeople({ verb: "export add", ...fields }, flags, context);
        }),
    )
    .addCommand(
      controlVerb("remove", "offer one no more")
        .argument("<name>")
        .option("-f, --force", "even if clients use it: their connections are closed")
        .action(async (name: string, flags: ControlFlags & { readonly force?: boolean }) => {
          const { force = false } = flags;
          await askForPeople({ verb: "export remove", name, force }, flags, context);
        }),
    );
}

interface AddFlags extends ControlFlags {
  readonly readOnly?: boolean;
  readonly description?: string;
  readonly group?: string;
  readonly wholeBlocks?: boolean;
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
