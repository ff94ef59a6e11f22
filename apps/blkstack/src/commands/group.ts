import { Command, Option } from "commander";
import { type CommandContext, ExitStatus, printLine } from "../cli-io.ts";
import type { Answer } from "../control/answer.ts";
import { ask, type Request } from "../control/ask.ts";
import { groupStatText, groupsText, statLines } from "../control/group-text.ts";
import { controlOption } from "./dm.ts";

interface GroupFlags {
  readonly control: string;
  readonly json?: boolean;
}

interface StatFlags extends GroupFlags {
  readonly text?: string;
}

/** `blkstack group VERB …`: limits and weights of a server that runs, and what they come to. */
export function groupCommand(context: CommandContext): Command {
  const { io } = context;
  const verb = (name: string, description: string): Command =>
    new Command(name)
      .description(description)
      .addOption(controlOption())
      .option("--json", "one JSON object");
  return new Command("group")
    .description("limits and weights of the groups of a running server")
    .addCommand(
      verb("ls", "the groups, and the exports in each").action(async (flags: GroupFlags) => {
        const answer = await request({ verb: "group ls" }, flags, context);
        if (answer === null) return;
        printLine(io.stdout, groupsText(answer.groups ?? [], io.stdout));
      }),
    )
    .addCommand(
      verb("stat", "what groups have done, and what they had of devices that they share")
        .argument("[name]", "of one group; of all unless told")
        .addOption(
          new Option("--text <format>", "as lines of cgroup files").choices(["io.stat", "blkio"]),
        )
        .action(async (name: string | undefined, flags: StatFlags) => {
          const asked = { verb: "group stat", name, format: flags.text };
          const answer = await request(asked, flags, context);
          if (answer === null) return;
          const { groups = [], lines } = answer;
          const text = lines === undefined ? groupStatText(groups, io.stdout) : statLines(lines);
          for (const line of text) printLine(io.stdout, line);
        }),
    )
    .addCommand(
      verb("set", "change what is named, at once, also for what waits")
        .argument("<name>")
        .argument("<words...>", "rbps, wbps, riops, wiops=N or max; weight=10 to 1000")
        .action(async (name: string, words: readonly string[], flags: GroupFlags) => {
          const asked = { verb: "group set", name, words: words.join(" ") };
          await request(asked, flags, context);
        }),
    );
}

/** Null when there is nothing for people to read: the request was refused, or the answer is JSON. */
async function request(
  asked: Request,
  { control, json }: GroupFlags,
  { io, exitWith }: CommandContext,
): Promise<Answer | null> {
  const answer = await ask(control, io.cwd, asked);
  if (answer.error !== undefined) {
    printLine(io.stderr, `blkstack: ${answer.error.message}`);
    exitWith(ExitStatus.Found);
    return null;
  }
  if (json !== true) return answer;
  printLine(io.stdout, JSON.stringify(answer));
  return null;
}
