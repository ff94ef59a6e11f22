import { Command } from "commander";
import { type CommandContext, printLine } from "../cli-io.ts";
import { fromOption, scenarioSource } from "../scenario-source.ts";
import { formatTable } from "../table.ts";

/** `blkstack scenarios`: what can be explored, and what each variant is expected to come to. */
export function scenariosCommand({ io }: CommandContext): Command {
  return new Command("scenarios")
    .description("what can be explored: name, variants, the verdict expected of each")
    .addOption(fromOption())
    .option("--json", "one JSON object")
    .action(async ({ from, json = false }: { from?: string; json?: boolean }) => {
      const { scenarios } = await scenarioSource(from, io.cwd);
      const listed = scenarios.map(({ name, summary, variants }) => ({
        name,
        summary,
        variants: Object.entries(variants).map(([variant, { expect, summary: difference }]) => ({
          name: variant,
          expect,
          summary: difference,
        })),
      }));
      if (json) {
        printLine(io.stdout, JSON.stringify({ scenarios: listed }));
        return;
      }
      const rows = listed.flatMap(({ name, variants }) =>
        variants.map((variant) => [`${name}:${variant.name}`, variant.expect, variant.summary]),
      );
      printLine(io.stdout, formatTable(["NAME:VARIANT", "EXPECTED", ""], rows, io.stdout));
    });
}
