import { resolve } from "node:path";
import { Command } from "commander";
import { type CliIo, type CommandContext, ExitStatus, printLine } from "../cli-io.ts";
import { type GoldenCaseReport, runGolden } from "../golden/run-golden.ts";
import { coloursFor } from "../table.ts";
import { UserError } from "../user-error.ts";

interface GoldenFlags {
  readonly json?: boolean;
  readonly figures?: boolean;
}

/** `blkstack golden DIR`: what a kernel did, done here; exit status 1 when something differs. */
export function goldenCommand({ io, exitWith }: CommandContext): Command {
  return new Command("golden")
    .description("run recorded kernel cases against this implementation")
    .argument("<folder>", "of one case, or of folders of cases")
    .option("--json", "one JSON object")
    .option("--figures", "what was measured there and here")
    .addHelpText("after", "\nExit status: 0 nothing differs, 1 something does, 2 usage.")
    .action(async (folder: string, { json = false, figures = false }: GoldenFlags) => {
      const onCase = (report: GoldenCaseReport): void => {
        printCase(report, io);
        if (figures) printFigures(report, io);
      };
      const { cases } = await runGolden(resolve(io.cwd, folder), json ? {} : { onCase });
      if (cases.length === 0) throw new UserError(`${folder}: no recorded cases (case.json) there`);
      printLine(
        io.stdout,
        json ? JSON.stringify({ cases: cases.map(contractOf) }) : summary(cases),
      );
      if (cases.some(({ ok }) => !ok)) exitWith(ExitStatus.Found);
    });
}

function printCase(report: GoldenCaseReport, { stdout }: CliIo): void {
  const { green, red, yellow, dim } = coloursFor(stdout);
  const { name, ok, compared, notReplayed, differences, missing } = report;
  if (missing.length > 0) {
    printLine(stdout, `${yellow("WAITS  ")} ${name}  ${differences.join("; ")}`);
    return;
  }
  const counts = `${String(compared)} compared, ${String(notReplayed.length)} not replayed`;
  const first = differences[0]?.split("\n")[0] ?? "";
  const more = differences.length > 1 ? ` (and ${String(differences.length - 1)} more)` : "";
  const verdict = ok ? green("ok     ") : red("DIFFERS");
  printLine(stdout, `${verdict} ${name}  ${dim(counts)}${ok ? "" : `  ${first}${more}`}`);
}

function printFigures({ figures }: GoldenCaseReport, { stdout }: CliIo): void {
  for (const { what, recorded, here } of figures) {
    printLine(stdout, `  ${what}`);
    printLine(stdout, `    kernel   ${recorded}`);
    printLine(stdout, `    blkstack ${here}`);
  }
}

function summary(cases: readonly GoldenCaseReport[]): string {
  const passed = cases.filter(({ ok }) => ok).length;
  const waiting = cases.filter(({ missing }) => missing.length > 0);
  const differing = cases.length - passed - waiting.length;
  const targets = [...new Set(waiting.flatMap(({ missing }) => missing))].sort().join(", ");
  const wait =
    waiting.length === 0 ? "" : `, ${String(waiting.length)} wait for targets (${targets})`;
  return `${String(cases.length)} cases: ${String(passed)} passed, ${String(differing)} differ${wait}`;
}

/** What `--json` promises of a case, and no more. */
function contractOf({ name, ok, compared, notReplayed, differences }: GoldenCaseReport): object {
  return { name, ok, compared, notReplayed, differences };
}
