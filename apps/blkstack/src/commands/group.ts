import { Command, Option } from "commander";
import { type CommandContext, printLine } from "../cli-io.ts";
import { groupStatText, groupsText, statLines } from "../control/group-text.ts";
import { askForPeople, type ControlFlags, controlVerb } from "./control-verb.ts";

interface StatFlags extends ControlFlags {
  readonly text?: string;
}

/** `blkstack group VERB …`: limits and weights of a server that runs, and what they come to. */
export function groupCommand(context: CommandContext): Command {
  const { io } = context;
  return new Command("group")
    .description("limits and weights of the groups of a running server")
    .addCommand(
      controlVerb("ls", "the groups, and the exports in each").action(
        async (flags: ControlFlags) => {
          const answer = await askForPeople({ verb: "group ls" }, flags, context);
          if (answer === null) return;
          printLine(io.stdout, groupsText(answer.groups ?? [], io.stdout));
        },
      ),
    )
    .addCommand(
      controlVerb("stat", "what groups have done, and what they had of devices that they share")
        .argument("[name]", "of one group; of all unless told")
        .addOption(
          new Option("--text <format>", "as lines of cgroup files").choices(["io.stat", "blkio"]),
        )
        .action(async (name: string | undefined, flags: StatFlags) => {
          const asked = { verb: "group stat", name, format: flags.text };
          const answer = await askForPeople(asked, flags, context);
          if (answer === null) return;
          const { groups = [], lines } = answer;
          const text = lines === undefined ? groupStatText(groups, io.stdout) : statLines(lines);
          for (const line of text) printLine(io.stdout, line);
        }),
    )
    .addCommand(
      controlVerb("set", "change what is named, at once, also for what waits")
        .argument("<name>")
        .argument("<words...>", "rbps, wbps, riops, wiops=N or max; weight=10 to 1000")
        .action(async (name: string, words: readonly string[], flags: ControlFlags) => {
          const asked = { verb: "group set", name, words: words.join(" ") };
          await askForPeople(asked, flags, context);
        }),
    );
}
