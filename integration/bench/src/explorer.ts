import { explore, type ExploreOptions } from "@blkstack/explorer";
import { scenarios } from "@blkstack/scenarios";
import Table from "cli-table3";
import {
  type BenchProgram,
  bioSplit,
  buffer,
  lostWakeup,
  mutex,
  philosophers,
  scenarioOf,
} from "./explored-programs.ts";
import { msFromStart } from "./from-start.ts";
import { runWithFastCheck } from "./peer-schedulers.ts";

const REPEATS = 7;
const PROGRAMS = [philosophers(3), philosophers(5), mutex(3), bioSplit(), lostWakeup(), buffer()];
/** How many runs one repeat makes, of each scheduler: some tenths of a second. */
const DRAWN_RUNS = 10_000;
const PEER_RUNS = 2_000;
const REDUCED_RUNS = 3_000;

interface Rate {
  readonly runsPerCpuSecond: number;
  /** Share of the runs that did not come to the end of all tasks. */
  readonly stuck: number;
}

/** How many schedules a second of CPU time brings, beside others that shuffle promises. */
export async function benchExplorer(): Promise<void> {
  const table = new Table({
    head: ["program", "random walk", "fast-check", "ratio", "dpor", "stuck, ours", "fast-check's"],
  });
  for (const program of PROGRAMS) {
    const [walk, peer, dpor] = await inTurn([
      () => drawn(program),
      () => fastCheck(program),
      () => reduced(program),
    ]);
    table.push([
      program.name,
      rateOf(walk),
      rateOf(peer),
      `${((walk?.runsPerCpuSecond ?? 0) / (peer?.runsPerCpuSecond ?? 1)).toFixed(1)}x`,
      rateOf(dpor),
      shareOf(walk),
      shareOf(peer),
    ]);
  }
  console.log("runs per CPU second, median");
  console.log(table.toString());
  await benchReports();
}

/** Each measure in turn, and again and again; the median of each. */
async function inTurn(measures: readonly (() => Promise<Rate>)[]): Promise<Rate[]> {
  const rates = measures.map((): Rate[] => []);
  for (let repeat = 0; repeat < REPEATS; repeat += 1) {
    for (const [index, measure] of measures.entries()) rates[index]?.push(await measure());
  }
  return rates.map((each) => {
    each.sort((a, b) => a.runsPerCpuSecond - b.runsPerCpuSecond);
    return each[Math.floor(each.length / 2)] ?? { runsPerCpuSecond: 0, stuck: 0 };
  });
}

function drawn(program: BenchProgram): Promise<Rate> {
  return explored(program, { strategy: "random", executions: DRAWN_RUNS });
}

/** The whole search again and again, for most of them are short. */
async function reduced(program: BenchProgram): Promise<Rate> {
  const scenario = scenarioOf(program);
  let [runs, stuck] = [0, 0];
  const started = process.cpuUsage();
  while (runs < REDUCED_RUNS) {
    const report = await explore(scenario, "program", { strategy: "dpor", after: "all" });
    runs += report.runs;
    stuck += report.failingRuns;
  }
  return { runsPerCpuSecond: runs / cpuSecondsSince(started), stuck: stuck / runs };
}

async function explored(program: BenchProgram, options: ExploreOptions): Promise<Rate> {
  const started = process.cpuUsage();
  const report = await explore(scenarioOf(program), "program", { ...options, after: "all" });
  const seconds = cpuSecondsSince(started);
  return { runsPerCpuSecond: report.runs / seconds, stuck: report.failingRuns / report.runs };
}

async function fastCheck(program: BenchProgram): Promise<Rate> {
  const started = process.cpuUsage();
  const stuck = await runWithFastCheck(program, PEER_RUNS);
  return { runsPerCpuSecond: PEER_RUNS / cpuSecondsSince(started), stuck: stuck / PEER_RUNS };
}

/** How long each failure takes from the start of its search to the report made small. */
async function benchReports(): Promise<void> {
  const table = new Table({ head: ["variant", "verdict", "ms to the report", "steps"] });
  for (const scenario of scenarios) {
    for (const [variant, { expect }] of Object.entries(scenario.variants)) {
      if (expect === "ok") continue;
      const startedMs = performance.now();
      const report = await explore(scenario, variant, { strategy: "portfolio", after: "first" });
      const ms = performance.now() - startedMs;
      const steps = report.trace?.steps.length ?? 0;
      table.push([`${scenario.name}:${variant}`, report.kind, ms.toFixed(0), String(steps)]);
    }
  }
  console.log(table.toString());
  const ms = await msFromStart("bioset-split", "no-rescuer");
  console.log(`from the start of a process to its report of bioset-split: ${ms.toFixed(0)} ms`);
}

function cpuSecondsSince(started: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(started);
  return (user + system) / 1e6;
}

function rateOf(rate: Rate | undefined): string {
  return Math.round(rate?.runsPerCpuSecond ?? 0).toLocaleString("en");
}

function shareOf(rate: Rate | undefined): string {
  return `${((rate?.stuck ?? 0) * 100).toFixed(1)} %`;
}
