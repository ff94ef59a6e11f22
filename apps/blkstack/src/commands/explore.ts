import {
  explore,
  type ExploreOptions,
  type Progress,
  type Report,
  STRATEGY_NAMES,
  type StrategyName,
} from "@blkstack/explorer";
import { Command } from "commander";
import { type CommandContext, ExitStatus, printLine, type TextOutput } from "../cli-io.ts";
import { drawWaits, type GraphFormat, graphOption } from "../draw-waits.ts";
import { findScenario, type Wanted } from "../find-scenario.ts";
import { wholeNumber } from "../option-values.ts";
import { coloursFor, formatTable } from "../table.ts";
import { UserError } from "../user-error.ts";
import { writeUserFile } from "../user-file.ts";

interface ExploreFlags {
  readonly strategy: StrategyName;
  readonly depth?: number;
  readonly bound?: number;
  readonly seed?: number;
  readonly executions?: number;
  readonly seconds?: number;
  readonly trace?: string;
  readonly graph?: GraphFormat;
  readonly json?: boolean;
}

/** `blkstack explore NAME[:VARIANT]`: tries schedules; exit status 1 when one fails. */
export function exploreCommand(context: CommandContext): Command {
  return new Command("explore")
    .description("run a scenario under one schedule after the other")
    .argument("<name[:variant]>", "what to explore; without a variant, each of them")
    .option("--strategy <name>", STRATEGY_NAMES.join(", "), parseStrategy, "exhaustive")
    .option("--depth <n>", "of pct: orders that a failure takes", wholeNumber("--depth", 1))
    .option("--bound <n>", "of preemptions and delays: at most", wholeNumber("--bound", 0))
    .option("--seed <n>", "of the strategies that draw lots", wholeNumber("--seed", 0))
    .option("--executions <n>", "runs at most", wholeNumber("--executions", 1))
    .option("--seconds <s>", "seconds at most", wholeNumber("--seconds", 1))
    .option("--trace <file>", "where to keep the failing run, for replay")
    .addOption(graphOption().conflicts("json"))
    .option("--json", "one JSON object")
    .addHelpText("after", "\nExit status: 0 nothing found, 1 found, 2 usage.")
    .action((name: string, flags: ExploreFlags) => exploreWanted(name, flags, context));
}

function parseStrategy(name: string): StrategyName {
  const known = STRATEGY_NAMES.find((each) => each === name);
  if (known !== undefined) return known;
  const names = STRATEGY_NAMES.join(", ");
  throw new UserError(`--strategy ${name} is unknown; it should be one of ${names}`);
}

async function exploreWanted(
  name: string,
  flags: ExploreFlags,
  { io, exitWith }: CommandContext,
): Promise<void> {
  const wanted = findScenario(name);
  if (flags.trace !== undefined && !wanted.isOne) {
    throw new UserError("--trace keeps one run; name the variant, as in NAME:VARIANT");
  }
  const progress = new ProgressLine(io.stderr, flags.json === true);
  const reports: Report[] = [];
  for (const variant of wanted.variants) {
    const options = exploreOptions(flags, progress, `${wanted.scenario.name}:${variant}`);
    reports.push(await explore(wanted.scenario, variant, options));
  }
  progress.clear();
  const [first] = reports;
  if (flags.trace !== undefined && first?.trace) {
    await writeUserFile(flags.trace, `${JSON.stringify(first.trace, null, 1)}\n`, io.cwd);
  }
  if (flags.graph !== undefined) {
    for (const report of reports) printLine(io.stdout, drawWaits(report, flags.graph));
  } else if (flags.json === true) printLine(io.stdout, JSON.stringify(jsonOf(wanted, reports)));
  else printReports(wanted, reports, io.stdout);
  if (reports.some(({ verdict }) => verdict === "found")) exitWith(ExitStatus.Found);
}

function exploreOptions(
  { strategy, depth, bound, seed, executions, seconds }: ExploreFlags,
  progress: ProgressLine,
  name: string,
): ExploreOptions {
  return {
    strategy,
    ...(depth === undefined ? {} : { depth }),
    ...(bound === undefined ? {} : { bound }),
    ...(seed === undefined ? {} : { seed }),
    ...(executions === undefined ? {} : { executions }),
    ...(seconds === undefined ? {} : { seconds }),
    onProgress: (now) => {
      progress.show(`${name}: ${progressText(now)}`);
    },
  };
}

/** `12000 runs, 340000 steps, 8500 runs/s, 120 states`. */
function progressText({ runs, steps, elapsedMs, states, failingRuns }: Progress): string {
  const perSecond = Math.round((runs * 1000) / Math.max(1, elapsedMs));
  const texts = [`${String(runs)} runs`, `${String(steps)} steps`, `${String(perSecond)} runs/s`];
  if (states !== null) texts.push(`${String(states)} states`);
  if (failingRuns > 0) texts.push(`${String(failingRuns)} failed; looking for a shorter one`);
  return texts.join(", ");
}

function jsonOf({ scenario, isOne }: Wanted, reports: readonly Report[]): object {
  const told = reports.map((report) => ({
    ...report,
    expect: scenario.variants[report.variant]?.expect ?? null,
  }));
  return isOne ? { ...told[0] } : { scenario: scenario.name, reports: told };
}

function printReports(
  { scenario, isOne }: Wanted,
  reports: readonly Report[],
  output: TextOutput,
): void {
  if (isOne) {
    for (const { story } of reports) printLine(output, story);
    return;
  }
  const { green, red } = coloursFor(output);
  const rows = reports.map(({ variant, verdict, kind, runs, message }) => {
    const expect = scenario.variants[variant]?.expect ?? "";
    const seen = verdict === "proved" ? "ok" : (kind ?? verdict);
    const coloured = seen === expect ? green(seen) : red(seen);
    return [`${scenario.name}:${variant}`, expect, coloured, String(runs), message];
  });
  printLine(output, formatTable(["NAME:VARIANT", "EXPECTED", "SEEN", "RUNS", ""], rows, output));
}

/** One line on a terminal that is written over and over. */
class ProgressLine {
  readonly #output: TextOutput;
  readonly #isShown: boolean;

  constructor(output: TextOutput, isQuiet: boolean) {
    this.#output = output;
    this.#isShown = output.isTTY === true && !isQuiet;
  }

  show(text: string): void {
    if (this.#isShown) this.#output.write(`\r\u001b[K${text}`);
  }

  clear(): void {
    if (this.#isShown) this.#output.write("\r\u001b[K");
  }
}
