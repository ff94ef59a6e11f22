import { resolve } from "node:path";
import { Command } from "commander";
import { type CommandContext, ExitStatus, printLine } from "../cli-io.ts";
import { type GoldenCaseReport, runGolden } from "../golden/run-golden.ts";
import { coloursFor } from "../table.ts";
import { UserError } from "../user-error.ts";

/** `blkstack golden DIR`: what a kernel did, done here; exit status 1 when something differs. */
export function goldenCommand({ io, exitWith }: CommandContext): Command {
  return new Command("golden")
    .description("run recorded kernel cases against this implementation")
    .argument("<folder>", "of one case, or of folders of cases")
    .option("--json", "one JSON object")
    .addHelpText("after", "\nExit status: 0 nothing differs, 1 something does, 2 usage.")
    .action(async (folder: string, { json = false }: { json?: boolean }) => {
      const { green, red, dim } = coloursFor(io.stdout);
      const tell = (report: GoldenCaseReport): void => {
        const { name, ok, compared, notReplayed, differences } = report;
        const counts = `${String(compared)} compared, ${String(notReplayed.length)} not replayed`;
        const first = differences[0]?.split("\n")[0] ?? "";
        const more = differences.length > 1 ? ` (and ${String(differences.length - 1)} more)` : "";
        const verdict = ok ? green("ok     ") : red("DIFFERS");
        printLine(io.stdout, `${verdict} ${name}  ${dim(counts)}${ok ? "" : `  ${first}${more}`}`);
      };
      const { cases } = await runGolden(resolve(io.cwd, folder), json ? {} : { onCase: tell });
      if (cases.length === 0) throw new UserError(`${folder}: no recorded cases (case.json) there`);
      if (json) printLine(io.stdout, JSON.stringify({ cases }));
      if (cases.some(({ ok }) => !ok)) exitWith(ExitStatus.Found);
    });
}
