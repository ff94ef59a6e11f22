import {
  type Progress,
  type Report,
  reportToJson,
  STRATEGY_NAMES,
  type StrategyName,
} from "@blkstack/explorer";
import { Command, Option } from "commander";
import { type CommandContext, ExitStatus, printLine, type TextOutput } from "../cli-io.ts";
import { findScenario, type Wanted } from "../find-scenario.ts";
import { wholeNumber } from "../option-values.ts";
import { ProgressLine } from "../progress-line.ts";
import { type SearchFlags, searchVariant } from "../search-variant.ts";
import { fromOption, scenarioSource } from "../scenario-source.ts";
import { isShownOtherwise, shown, type ShowFlags, withShowOptions } from "../show-report.ts";
import { coloursFor, formatTable } from "../table.ts";
import { UserError } from "../user-error.ts";
import { writeUserFile } from "../user-file.ts";

interface ExploreFlags extends SearchFlags, ShowFlags {
  readonly from?: string;
  readonly trace?: string;
  readonly progress?: boolean;
  readonly json?: boolean;
}

/** `blkstack explore NAME[:VARIANT]`: tries schedules; exit status 1 when one fails. */
export function exploreCommand(context: CommandContext): Command {
  const command = new Command("explore")
    .description("run a scenario under one schedule after the other")
    .argument("<name[:variant]>", "what to explore; without a variant, each of them")
    .addOption(fromOption())
    .option("--strategy <name>", STRATEGY_NAMES.join(", "), parseStrategy)
    .option("--depth <n>", "of pct: orders that a failure takes", wholeNumber("--depth", 1))
    .option("--bound <n>", "of preemptions and delays: at most", wholeNumber("--bound", 0))
    .option("--seed <n>", "of the strategies that draw lots", wholeNumber("--seed", 0))
    .option("--executions <n>", "runs at most", wholeNumber("--executions", 1))
    .option("--seconds <s>", "seconds at most", wholeNumber("--seconds", 1))
    .option("--steps-max <n>", "steps of one run at most", wholeNumber("--steps-max", 1))
    .option("--states-max <n>", "states kept at most", wholeNumber("--states-max", 1))
    .addOption(dedupeOption())
    .option("--workers <n>", "threads that search side by side", wholeNumber("--workers", 1))
    .option("--checkpoint <file>", "where to keep how far the search is")
    .option("--resume <file>", "go on from what --checkpoint has kept")
    .option("--coverage", "count what the runs differ in")
    .option("--progress", "tell how far the search is, also where nobody sits at a terminal")
    .option("--alloc-fail <n>", "allocations that fail in a run", wholeNumber("--alloc-fail", 0))
    .option("--io-error <n>", "bios that a disk fails in a run", wholeNumber("--io-error", 0))
    .addOption(timersOption())
    .option("--no-audit", "trust the scenario: repeat no run to see whether it is the same again")
    .option("--trace <file>", "where to keep the failing run, for replay")
    .option("--json", "one JSON object");
  return withShowOptions(command, ["json"])
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
  const { from, trace, json, progress: isProgressWanted, ...search } = flags;
  const wanted = findScenario(name, await scenarioSource(from, io.cwd));
  if (trace !== undefined && !wanted.isOne) {
    throw new UserError("--trace keeps one run; name the variant, as in NAME:VARIANT");
  }
  if ((flags.checkpoint ?? flags.resume) !== undefined) refuseCheckpoint(wanted, flags);
  const progress = new ProgressLine(
    io.stderr,
    isProgressWanted ?? (json === true ? false : undefined),
  );
  const stopping = new AbortController();
  const unhook = io.onStopSignal(() => {
    stopping.abort();
  });
  const reports: Report[] = [];
  try {
    for (const variant of wanted.variants) {
      const onProgress = (now: Progress): void => {
        progress.show(`${wanted.scenario.name}:${variant}`, now);
      };
      const place = { cwd: io.cwd, signal: stopping.signal, onProgress };
      reports.push(await searchVariant(wanted, variant, search, place));
    }
  } finally {
    unhook();
    progress.clear();
  }
  const [first] = reports;
  if (trace !== undefined && first?.trace) {
    await writeUserFile(trace, `${JSON.stringify(first.trace, null, 1)}\n`, io.cwd);
  }
  if (isShownOtherwise(flags)) {
    for (const report of reports) printLine(io.stdout, shown(report, flags));
  } else if (json === true) printLine(io.stdout, JSON.stringify(jsonOf(wanted, reports)));
  else printReports(wanted, reports, io.stdout);
  if (reports.some(({ verdict }) => verdict === "found")) exitWith(ExitStatus.Found);
}

function timersOption(): Option {
  const option = new Option("--timers <when>", "when timers fire; by default as the variant says");
  return option.choices(["when-idle", "any-time"]);
}

function dedupeOption(): Option {
  const option = new Option("--dedupe <how>", "merge states that cannot be told apart, or not");
  return option.choices(["states", "none"]);
}

function refuseCheckpoint({ isOne }: Wanted, { workers }: ExploreFlags): void {
  if (!isOne) {
    throw new UserError("--checkpoint keeps one search; name the variant, as in NAME:VARIANT");
  }
  if (workers !== undefined) {
    throw new UserError("--checkpoint and --resume are for one thread; leave --workers out");
  }
}

function jsonOf({ scenario, isOne }: Wanted, reports: readonly Report[]): object {
  const told = reports.map((report) => ({
    ...reportToJson(report),
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
