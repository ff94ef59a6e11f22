import { conditionsText } from "./conditions.ts";
import { ENDS_OF_WAITS } from "./finding.ts";
import type { Recorder } from "./recorder.ts";
import type { Report } from "./report.ts";
import type { RecordedRun } from "./run.ts";
import { ROUNDS } from "./loops/loop-watch.ts";
import type { Decision } from "./decisions.ts";
import { takenAway } from "./input.ts";
import type { Stop } from "./run-options.ts";
import { scheduleLines } from "./schedule-lines.ts";
import type { Sibling } from "./sibling.ts";
import { framesOf } from "./stack-frames.ts";
import type { Vocabulary } from "./vocabulary.ts";
import { WaitForGraph } from "./wait-for-graph.ts";
import { siteLine, sleepLines, waitLines } from "./wait-lines.ts";
import type { WaitSites } from "./wait-sites.ts";

/** "short": steps that do not matter for the failure are told of together. "full": every step. */
export type StoryLength = "short" | "full";

/** What a story is told from, besides the report. */
export interface Recorded extends RecordedRun {
  readonly decisions?: readonly Decision[];
  readonly sibling?: Sibling | null;
  readonly waitSites?: WaitSites;
  readonly length?: StoryLength;
  readonly vocabularies: readonly Vocabulary[];
}

/** Known only of a run that was repeated. */
type Later =
  "story" | "foundAtRun" | "preemptions" | "isShortest" | "trace" | "replayLine" | "waits";
type Told = Omit<Report, Later> & Partial<Omit<Report, "story">>;

/** A report in words; its last line says how to see it again. */
export function tellStory(report: Told, recorded?: Recorded): string {
  if (recorded === undefined) return summaryLine(report);
  const { outcome, recorder, decisions = [], sibling = null, input, waitSites } = recorded;
  const lines = [headLine(report, recorder)];
  const graph = new WaitForGraph(outcome.world, recorded.vocabularies);
  if (report.kind === "LOST_WAKEUP") lines.push(`  ${report.message}`);
  if (report.kind !== null && ENDS_OF_WAITS.has(report.kind)) {
    lines.push(...waitLines(graph, waitSites));
  } else if (report.kind === "HUNG_TASK") {
    lines.push(`  ${report.message}`, ...sleepLines(graph, waitSites));
  } else lines.push(`  ${report.message}`, ...errorLines(outcome.stop));
  lines.push(...(outcome.cut?.lines ?? []).map((line) => `  ${line}`));
  lines.push(...decisionLines(decisions, sibling));
  const away = takenAway(input, outcome.world.amounts);
  if (away !== "") lines.push(`  not needed for it: ${away}`);
  const figures = outcome.world.figures();
  if (figures.length > 0) lines.push(`  ${figures.join(", ")}`);
  lines.push("", ...scheduleLines(recorded), "", shortestLine(report));
  if (report.replayLine) lines.push(`  replay: blkstack replay "${report.replayLine}"`);
  return withoutNestedQuotes(lines.join("\n"));
}

/** `OK  mutex:three   proved: 6 runs are all schedules`. */
function summaryLine(report: Told): string {
  const name = `${report.scenario}:${report.variant}`;
  const runs = count(report.runs, "run");
  const seen = report.states === null ? "" : `, ${count(report.states, "distinct state")}`;
  if (report.verdict === "proved") {
    const conditions = conditionsText(report.conditions);
    const within = conditions === "" ? "" : `, with ${conditions},`;
    return `OK  ${name}   proved: ${runs}${seen}, ${covered(report)}${within} at the granularity of announced steps${withoutLoops(report)}${cutsText(report)}`;
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
  const conditions = conditionsText(report.conditions);
  const within = conditions === "" ? "" : `; with ${conditions}`;
  return `NOT FOUND  ${name}   ${runs}${seen}, ${bound}${healed}${within}${cutsText(report)}`;
}

function cutsText({ crash }: Told): string {
  if (crash === null) return "";
  const { states, sampledStates, distinctImages } = crash;
  const how = sampledStates === 0 ? "every image" : `a sample in ${count(sampledStates, "state")}`;
  const images = count(distinctImages, "distinct image");
  return `; the power cut in ${count(states, "state")}, ${images}, ${how}`;
}

/** A step that changes nothing leads to the same state, but for a counter of the task's own. */
function withoutLoops({ loopingRuns }: Told): string {
  return loopingRuns === 0
    ? ""
    : `; who came back ${String(ROUNDS)} times to where nothing had changed waited for a change`;
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

/** Where an error was thrown. */
function errorLines(stop: Stop): string[] {
  if (stop.why !== "error" || !(stop.error instanceof Error)) return [];
  const frames = framesOf(stop.error.stack ?? "");
  return frames.length === 0 ? [] : [siteLine("    ", frames)];
}

function decisionLines(decisions: readonly Decision[], sibling: Sibling | null): string[] {
  const intro = "  what decides it: ";
  const orders = decisions.map(({ first, second }) =>
    second === null ? first : `${first}  before  ${second}`,
  );
  const told = [...orders, ...siblingTexts(sibling)];
  return told.map((text, index) => `${index === 0 ? intro : " ".repeat(intro.length)}${text}`);
}

function siblingTexts(sibling: Sibling | null): string[] {
  if (sibling === null) return [];
  const { variant, step, what } = sibling;
  return [`with :${variant}, which ends well, step ${String(step)} is  ${what}`];
}

/** `work item "rescue of bio_set "L""` is hard to read: the inner quotes are enough. */
function withoutNestedQuotes(text: string): string {
  return text.replaceAll(/"([^"\n]*"[^"\n]*")"/g, "$1");
}

function count(amount: number, what: string): string {
  return `${String(amount)} ${what}${amount === 1 ? "" : "s"}`;
}
