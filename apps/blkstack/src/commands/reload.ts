import { Command } from "commander";
import { type CommandContext, ExitStatus, printLine } from "../cli-io.ts";
import { ask } from "../control/ask.ts";
import { reloadText } from "../operate/reloader.ts";
import { controlOption } from "./dm.ts";

/** `blkstack reload`: has a server that runs read its stack file again. */
export function reloadCommand({ io, exitWith }: CommandContext): Command {
  return new Command("reload")
    .description("have a running server read its stack file again")
    .addOption(controlOption())
    .option("--json", "one JSON object")
    .action(async ({ control, json }: { readonly control: string; readonly json?: boolean }) => {
      const { error, steps = [] } = await ask(control, io.cwd, { verb: "reload" });
      if (error !== undefined) {
        printLine(io.stderr, `blkstack: ${error.message}`);
        exitWith(ExitStatus.Found);
        return;
      }
      printLine(io.stdout, json === true ? JSON.stringify({ steps }) : reloadText(steps));
    });
}
