import type { Command } from "commander";
import { type CommandContext, printLine } from "../cli-io.ts";
import { reloadText } from "../operate/reloader.ts";
import { askForPeople, type ControlFlags, controlVerb } from "./control-verb.ts";

/** `blkstack reload`: has a server that runs read its stack file again. */
export function reloadCommand(context: CommandContext): Command {
  return controlVerb("reload", "have a running server read its stack file again").action(
    async (flags: ControlFlags) => {
      const answer = await askForPeople({ verb: "reload" }, flags, context);
      if (answer !== null) printLine(context.io.stdout, reloadText(answer.steps ?? []));
    },
  );
}
