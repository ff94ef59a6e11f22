import { explore } from "@blkstack/explorer";
import { programScenario } from "./program.ts";
import { type NamedProgram, smallPrograms } from "./programs.ts";
import { seedPrograms } from "./seed-programs.ts";
import { countSchedules, type ScheduleCounts } from "./state-graph.ts";

/** One row of the tables. */
export interface CountsRow extends ScheduleCounts {
  readonly name: string;
  readonly traces: number;
  readonly deadTraces: number;
}

export const programs: readonly NamedProgram[] = [...smallPrograms, ...seedPrograms];

async function countTraces({
  build,
}: NamedProgram): Promise<Pick<CountsRow, "traces" | "deadTraces">> {
  const scenario = programScenario(build, () => undefined);
  const report = await explore(scenario, "program", { strategy: "dpor", after: "all" });
  return { traces: report.schedules, deadTraces: report.failingRuns };
}

export async function countProgram(program: NamedProgram): Promise<CountsRow> {
  const schedules = await countSchedules(program);
  return { name: program.name, ...schedules, ...(await countTraces(program)) };
}
