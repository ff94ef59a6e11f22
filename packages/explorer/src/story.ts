import type { Recorder } from "./recorder.ts";
import type { Report } from "./report.ts";
import type { RecordedRun } from "./run.ts";
import type { Decision } from "./decisions.ts";
import { takenAway } from "./input.ts";
import type { Vocabulary } from "./vocabulary.ts";
import { WaitForGraph } from "./wait-for-graph.ts";
import { waitLines } from "./wait-lines.ts";

/** What a story is told from, besides the report. */
export interface Recorded extends RecordedRun {
  readonly decisions?: readonly Decision[];
  readonly vocabularies: readonly Vocabulary[];
}

/** Known only of a run that was repeated. */
type Later =
  "story" | "foundAtRun" | "preemptions" | "isShortest" | "trace" | "replayLine" | "waits";
type Told = Omit<Report, Later> & Partial<Omit<Report, "story">>;

/** A report in words; its last line says how to see it again. */
export function tellStory(report: Told, recorded?: Recorded): string {
  if (recorded === undefined) return summaryLine(report);
  const { outcome, recorder, decisions = [], input } = recorded;
  const lines = [headLine(report, recorder)];
  if (outcome.stop.why === "quiet" && (report.kind === "DEADLOCK" || report.kind === "STALL")) {
    lines.push(...waitLines(new WaitForGraph(outcome.world, recorded.vocabularies)));
  } else lines.push(`  ${report.message}`);
  lines.push(...decisionLines(decisions));
  const away = takenAway(input, outcome.world.amounts);
  if (away !== "") lines.push(`  not needed for it: ${away}`);
  const figures = outcome.world.figures();
  if (figures.length > 0) lines.push(`  ${figures.join(", ")}`);
  lines.push("", ...scheduleLines(recorder), "", shortestLine(report));
  if (report.replayLine) lines.push(`  replay: blkstack replay "${report.replayLine}"`);
  return withoutNestedQuotes(lines.join("\n"));
}

/** `OK  mutex:three   proved: 6 runs are all schedules`. */
function summaryLine(report: Told): string {
  const name = `${report.scenario}:${report.variant}`;
  const runs = count(report.runs, "run");
  const seen = report.states === null ? "" : `, ${count(report.states, "distinct state")}`;
  if (report.verdict === "proved") {
    return `OK  ${name}   proved: ${runs}${seen}, ${covered(report)} at the granularity of announced steps`;
  }
  const healed =
    report.healedRuns === 0
      ? ""
      : `; in ${count(report.healedRuns, "run")} only a retry after seconds got on`;
  const { boundCompleted: all } = report;
  const bound =
    all === null
      ? "not all schedules"
      : `all schedules with at most ${count(all.count, all.measure.slice(0, -1))}, not all others`;
  return `NOT FOUND  ${name}   ${runs}${seen}, ${bound}${healed}`;
}

function covered({ strategy, decidedBy, states, schedules }: Told): string {
  if (strategy === "portfolio") return `of which ${String(decidedBy)} has covered all schedules`;
  if (strategy === "dpor") return `${count(schedules, "trace")} that stand for all schedules`;
  return states === null ? "all schedules" : "all schedules up to equal states";
}

function headLine(report: Told, recorder: Recorder): string {
  const { kind, scenario, variant, foundAtRun = 1, runs } = report;
  const steps = count(recorder.steps.length, "step");
  const preemptions = count(recorder.preemptions, "preemption");
  const by = report.strategy === "portfolio" ? ` by ${String(report.decidedBy)}` : "";
  const run = `found in run ${String(foundAtRun)} of ${String(runs)}${by}`;
  return `${String(kind)}  ${scenario}:${variant}   ${run}, ${steps}, ${preemptions}`;
}

function shortestLine(report: Told): string {
  if (report.isShortest === true) return "  No schedule fails in fewer steps.";
  return `  The shortest failing schedule of ${count(report.runs, "run")} tried.`;
}

function decisionLines(decisions: readonly Decision[]): string[] {
  const intro = "  what decides it: ";
  return decisions.map(({ first, second }, index) => {
    const told = second === null ? first : `${first}  before  ${second}`;
    return `${index === 0 ? intro : " ".repeat(intro.length)}${told}`;
  });
}

function scheduleLines(recorder: Recorder): string[] {
  const width = Math.max(0, ...recorder.steps.map(({ actor }) => actor.length));
  return recorder.steps.map(({ actor, what, notes, isPreemption }, index) => {
    const mark = isPreemption ? "!" : " ";
    const also = notes.length === 0 ? "" : `; ${notes.join("; ")}`;
    return `  ${String(index + 1).padStart(4)} ${mark} ${actor.padEnd(width)}  ${what}${also}`;
  });
}

/** `work item "rescue of bio_set "L""` is hard to read: the inner quotes are enough. */
function withoutNestedQuotes(text: string): string {
  return text.replaceAll(/"([^"\n]*"[^"\n]*")"/g, "$1");
}

function count(amount: number, what: string): string {
  return `${String(amount)} ${what}${amount === 1 ? "" : "s"}`;
}
