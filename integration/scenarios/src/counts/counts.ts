import { explore } from "@blkstack/explorer";
import { programScenario } from "./program.ts";
import { type NamedProgram, smallPrograms } from "./programs.ts";
import { seedPrograms } from "./seed-programs.ts";
import { countTraces, countWays, type TraceCounts, type WayCounts } from "./walked-counts.ts";
import { WalkedGraph } from "./walked-graph.ts";

/** One row of the tables. */
export interface CountsRow extends WayCounts, TraceCounts {
  readonly name: string;
  readonly states: number;
}

export const programs: readonly NamedProgram[] = [...smallPrograms, ...seedPrograms];

/** Up to here one schedule of each class is run, too, to see whether it comes to the same. */
const TRACES_RUN_MAX = 100_000;

/** The classes of schedules, by running one of each. */
export async function runTraces({ build }: NamedProgram): Promise<TraceCounts> {
  const scenario = programScenario(build, () => undefined);
  const report = await explore(scenario, "program", { strategy: "dpor", after: "all" });
  return { traces: report.schedules, deadTraces: report.failingRuns };
}

/** Counts without running a schedule. */
export async function countProgram(program: NamedProgram): Promise<CountsRow> {
  const graph = await WalkedGraph.of(program);
  const { name } = program;
  return { name, states: graph.stateCount, ...countWays(graph), ...countTraces(graph) };
}

/** Throws when the explorer does not run as many classes of schedules as were counted. */
export async function confirmTraces(program: NamedProgram, counted: TraceCounts): Promise<void> {
  if (counted.traces > TRACES_RUN_MAX) return;
  const run = await runTraces(program);
  if (run.traces === counted.traces && run.deadTraces === counted.deadTraces) return;
  throw new Error(`${program.name}: ${textOf(counted)} counted, but ${textOf(run)} run`);
}

function textOf({ traces, deadTraces }: TraceCounts): string {
  return `${String(traces)} traces (${String(deadTraces)} fail)`;
}
