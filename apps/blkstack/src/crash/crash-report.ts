import { type CrashPoint, LogFlag, type LooseWrite } from "@blkstack/dm-log-writes";
import type { TextOutput } from "../cli-io.ts";
import { coloursFor, formatTable } from "../table.ts";
import type { Checked } from "./check-bench.ts";
import { formatLost, rangeText } from "./lost-list.ts";
import type { Failure, SearchResult } from "./search-crashes.ts";

/** All that is told of a search. */
export interface CrashReport {
  readonly recorded: { readonly logName: string; readonly baseName: string | null };
  /** Where the last point is. */
  readonly entries: number;
  readonly points: readonly CrashPoint[];
  readonly result: SearchResult;
  readonly smallest: (Failure & { readonly checks: number }) | null;
  /** Where the disk is that the power cut left. */
  readonly keptName: string | null;
  readonly keep: string | null;
  readonly flags: {
    readonly check: string;
    readonly checkSeconds: number;
    readonly torn?: boolean;
    readonly ignoreFlushes?: boolean;
    readonly seed: number;
  };
}

/** Of what a check has printed, so many lines are told. */
const OUTPUT_LINES = 12;

/** The report for people. */
export function crashText(report: CrashReport, output: TextOutput): string {
  const { result, smallest, points, flags } = report;
  const { green, red } = coloursFor(output);
  const loosest = Math.max(0, ...result.tallies.map(({ point }) => looseOf(point).length));
  const rows = [
    ["log", `${report.recorded.logName}: ${String(points.length)} points`],
    ["checked", `${String(result.states)} states at ${String(result.tallies.length)} points`],
    ["at once loose", `${String(loosest)} writes at most`],
    ["model", modelText(flags)],
    ["found", smallest === null ? green("nothing") : red("a state that is not well")],
  ];
  const table = formatTable(["", ""], rows, output).replace(/^\n/, "");
  return smallest === null ? table : [table, "", ...failureLines(report, smallest)].join("\n");
}

function modelText({ torn, ignoreFlushes, seed }: CrashReport["flags"]): string {
  const unit = torn === true ? "each sector of a write is there or not" : "a write is there or not";
  const flushes = ignoreFlushes === true ? ", flushes do nothing" : "";
  return `${unit}${flushes}, seed ${String(seed)}`;
}

function failureLines(
  report: CrashReport,
  { state: { point, lost }, checked, checks }: Failure & { readonly checks: number },
): string[] {
  const first = report.result.failure?.state.lost.length ?? lost.length;
  const promised = point.mark === null ? "" : `, marked "${point.mark.text}"`;
  const place =
    point.afterEntry === 0 ? "before the first flush" : `after entry ${String(point.afterEntry)}`;
  const found =
    lost.length === first
      ? ""
      : `; found with ${String(first)}, made fewer by ${String(checks)} checks`;
  return [
    `the power is cut ${place}${promised}`,
    `lost: ${String(lost.length)} of ${String(looseOf(point).length)} loose writes${found}`,
    ...byEntry(lost).map(({ text }) => `  ${text}`),
    ...checkLines(checked, report.flags.checkSeconds),
    ...seeLines(report, { state: { point, lost }, checked }),
  ];
}

function checkLines({ isLate, status, output }: Checked, seconds: number): string[] {
  const end = isLate
    ? `the check had not ended after ${String(seconds)} s, and was stopped`
    : `the check ended with ${String(status)}`;
  const lines = lastLines(output);
  return [`${end}${lines.length === 0 ? "" : ":"}`, ...lines.map((line) => `  ${line}`)];
}

function seeLines(
  { recorded, keep, keptName, flags }: CrashReport,
  { state: { point, lost }, checked }: Pick<Failure, "state" | "checked">,
): string[] {
  const log = keep === null ? recorded.logName : `${keep}/writes.log`;
  const base = keep === null ? recorded.baseName : `${keep}/base.img`;
  if (base === null) return ["see: run it again with --keep FOLDER"];
  const words = [
    "blkstack crash",
    `--replay ${log}`,
    `--base ${base}`,
    `--point ${String(point.afterEntry)}`,
    `--lost ${lost.length === 0 ? "''" : formatLost(lost)}`,
    ...(flags.ignoreFlushes === true ? ["--ignore-flushes"] : []),
    ...(checked.isLate ? [`--check-seconds ${String(flags.checkSeconds)}`] : []),
    `--check '${flags.check.replaceAll("'", String.raw`'\''`)}'`,
  ];
  const kept = keptName === null ? [] : [`kept: ${keptName}`];
  return [...kept, `again: ${words.join(" ")}`];
}

/** The report for programs. */
export function crashJson(report: CrashReport): object {
  const { recorded, result, smallest, points, keptName, flags } = report;
  return {
    log: recorded.logName,
    points: points.length,
    pointsChecked: result.tallies.length,
    states: result.states,
    torn: flags.torn === true,
    ignoreFlushes: flags.ignoreFlushes === true,
    seed: flags.seed,
    checked: result.tallies.map(({ point, states }) => ({
      point: point.afterEntry,
      mark: point.mark?.text ?? null,
      loose: looseOf(point).length,
      states,
    })),
    failure: smallest === null ? null : failureJson(smallest, keptName),
  };
}

function failureJson(
  { state: { point, lost }, checked }: Failure,
  keptName: string | null,
): object {
  return {
    point: point.afterEntry,
    mark: point.mark?.text ?? null,
    loose: looseOf(point).length,
    lost: byEntry(lost).map(({ entry, sectors }) => ({ entry, sectors })),
    replay: formatLost(lost),
    status: checked.status,
    timedOut: checked.isLate,
    output: checked.output,
    kept: keptName,
  };
}

function looseOf({ loose, behindFlush }: CrashPoint): readonly LooseWrite[] {
  return behindFlush === null ? loose : [...loose, behindFlush];
}

interface LostEntry {
  readonly entry: number;
  readonly sectors: readonly string[];
  readonly text: string;
}

function byEntry(lost: readonly LooseWrite[]): LostEntry[] {
  const ranges = new Map<LooseWrite["entry"], string[]>();
  for (const { entry, ranges: parts } of lost) {
    ranges.set(entry, [...(ranges.get(entry) ?? []), ...parts.map(rangeText)]);
  }
  return [...ranges].map(([entry, sectors]) => {
    const whole = `of ${rangeText(entry)}`;
    const what = (entry.flags & LogFlag.Discard) !== 0 ? "discard" : "write";
    const parts = `${sectors.join(" ")}${sectors[0] === rangeText(entry) ? "" : ` ${whole}`}`;
    return {
      entry: entry.number,
      sectors,
      text: `entry ${String(entry.number)}: ${what} of sectors ${parts}`,
    };
  });
}

function lastLines(output: string): string[] {
  const text = output.trimEnd();
  return text === "" ? [] : text.split("\n").slice(-OUTPUT_LINES);
}
