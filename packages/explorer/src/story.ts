import { ExploredTask } from "./actor.ts";
import type { Recorder } from "./recorder.ts";
import type { Report } from "./report.ts";
import type { Outcome } from "./run.ts";
import type { Vocabulary } from "./vocabulary.ts";
import { WaitForGraph, type WaitNode } from "./wait-for-graph.ts";

/** What a story is told from, besides the report. */
export interface Recorded {
  readonly outcome: Outcome;
  readonly recorder: Recorder;
  readonly vocabularies: readonly Vocabulary[];
}

type Told = Omit<Report, "story" | "foundAtRun" | "preemptions" | "isShortest"> &
  Partial<Pick<Report, "foundAtRun" | "preemptions" | "isShortest">>;

const SINCE_COLUMN = 80;

/** A report in words. */
export function tellStory(report: Told, recorded?: Recorded): string {
  if (recorded === undefined) return summaryLine(report);
  const { outcome, recorder } = recorded;
  const lines = [headLine(report, recorder)];
  if (outcome.stop.why === "quiet" && (report.kind === "DEADLOCK" || report.kind === "STALL")) {
    lines.push(...waitLines(new WaitForGraph(outcome.world, recorded.vocabularies)));
  } else lines.push(`  ${report.message}`);
  const figures = outcome.world.figures();
  if (figures.length > 0) lines.push(`  ${figures.join(", ")}`);
  lines.push("", ...scheduleLines(recorder), "", shortestLine(report));
  return lines.join("\n");
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
  return `NOT FOUND  ${name}   ${runs}${seen}, not all schedules${healed}`;
}

function covered({ strategy, states, schedules }: Told): string {
  if (strategy === "dpor") return `${count(schedules, "trace")} that stand for all schedules`;
  return states === null ? "all schedules" : "all schedules up to equal states";
}

function headLine(report: Told, recorder: Recorder): string {
  const { kind, scenario, variant, foundAtRun = 1, runs } = report;
  const steps = count(recorder.steps.length, "step");
  const preemptions = count(recorder.preemptions, "preemption");
  const run = `found in run ${String(foundAtRun)} of ${String(runs)}`;
  return `${String(kind)}  ${scenario}:${variant}   ${run}, ${steps}, ${preemptions}`;
}

function shortestLine(report: Told): string {
  if (report.isShortest === true) return "  No schedule fails in fewer steps.";
  return `  The shortest failing schedule of ${count(report.runs, "run")} tried.`;
}

/** Who waits for whom, from each task that is stuck, everything once. */
function waitLines(graph: WaitForGraph): string[] {
  const lines: string[] = [];
  const told = new Set<WaitNode>();
  for (const task of graph.stuckTasks) {
    lines.push(since(`  ${task.name} ${task.state}`, task));
    told.add(task);
    for (const next of task.next) lines.push(...holderLines(next, told, "    "));
  }
  const knot = graph.knot();
  if (knot === null) lines.push("  nobody is known who could end this");
  else lines.push(`  knot: ${knot.map(({ name }) => shortName(name)).join(" -> ")}`);
  return lines;
}

function holderLines(node: WaitNode, told: Set<WaitNode>, indent: string): string[] {
  if (told.has(node)) return [];
  told.add(node);
  if (node.next.length === 0 && node.state === "") return [`${indent}which nobody holds`];
  const lines: string[] = [];
  for (const holder of node.next) {
    if (told.has(holder)) {
      lines.push(`${indent}held by ${shortName(holder.name)}`);
      continue;
    }
    lines.push(since(`${indent}held by ${described(holder)}`, holder));
    told.add(holder);
    for (const next of holder.next) {
      // A task has said already what it waits for; anything else is named first.
      const isTask = holder.thing instanceof ExploredTask;
      if (isTask) lines.push(...holderLines(next, told, `${indent}  `));
      else if (!told.has(next)) lines.push(...onwardLines(next, told, `${indent}  `));
    }
  }
  return lines;
}

/** Behind a holder that is itself somewhere: the task or thing that it depends on. */
function onwardLines(node: WaitNode, told: Set<WaitNode>, indent: string): string[] {
  told.add(node);
  const lines = [since(`${indent}${described(node)}`, node)];
  for (const next of node.next) lines.push(...holderLines(next, told, `${indent}  `));
  return lines;
}

function described({ name, state, thing }: WaitNode): string {
  if (state === "") return name;
  return thing instanceof ExploredTask ? `${name}, who ${state}` : `${name}, ${state}`;
}

function shortName(name: string): string {
  return name.split(",")[0] ?? name;
}

function since(line: string, { sinceStep }: WaitNode): string {
  if (sinceStep === undefined) return line;
  return `${line.padEnd(SINCE_COLUMN)} since step ${String(sinceStep)}`;
}

function scheduleLines(recorder: Recorder): string[] {
  const width = Math.max(0, ...recorder.steps.map(({ actor }) => actor.length));
  return recorder.steps.map(({ actor, what, notes, isPreemption }, index) => {
    const mark = isPreemption ? "!" : " ";
    const also = notes.length === 0 ? "" : `; ${notes.join("; ")}`;
    return `  ${String(index + 1).padStart(4)} ${mark} ${actor.padEnd(width)}  ${what}${also}`;
  });
}

function count(amount: number, what: string): string {
  return `${String(amount)} ${what}${amount === 1 ? "" : "s"}`;
}
