import { explore } from "@blkstack/explorer";
import { describe, expect, it } from "vitest";
import { countProgram, programs, runTraces } from "./counts.ts";
import { EXPECTED, type Expected } from "./expected.ts";
import { programScenario } from "./program.ts";
import type { NamedProgram } from "./programs.ts";
import { countRetries } from "./retry-timer.ts";
import { isSubmitter, retryingPrograms } from "./seed-programs.ts";
import { countSchedules } from "./state-graph.ts";
import { WalkedGraph } from "./walked-graph.ts";

/*
 * Every figure is found by more than one means, of which no two share code:
 *  - walking: tables of what each step does, learned from the tasks; ways and classes through all
 *    states. Every row, every figure.
 *  - states met while tasks run: states and interleavings of rows up to STATES_RUN_MAX.
 *  - running every schedule: interleavings of rows up to SCHEDULES_RUN_MAX.
 *  - running one schedule of each class: traces of rows up to TRACES_RUN_MAX.
 */
const STATES_RUN_MAX = 27_000;
const SCHEDULES_RUN_MAX = 100_000n;
const TRACES_RUN_MAX = 20_000;
const SLOW_MS = 60_000;

interface Row {
  readonly name: string;
  readonly program: NamedProgram;
  readonly expected: Expected;
}

const rows: Row[] = programs.map((program) => {
  const expected = EXPECTED[program.name];
  if (expected === undefined) throw new Error(`nothing is expected of ${program.name}`);
  return { name: program.name, program, expected };
});

it("every row of the tables is a program, once", () => {
  const names = programs.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(names.toSorted()).toStrictEqual(Object.keys(EXPECTED).toSorted());
});

describe("walked by tables of their steps, the schedules are as many as the table says, of", () => {
  it.each(rows)("$name", { timeout: SLOW_MS }, async ({ name, program, expected }) => {
    expect(await countProgram(program)).toStrictEqual({ name, ...expected });
  });
});

describe("the states met while the tasks run are as many as the table says, of", () => {
  const small = rows.filter(({ expected }) => expected.states <= STATES_RUN_MAX);

  it.each(small)("$name", { timeout: SLOW_MS }, async ({ program, expected }) => {
    const { states, interleavings, deadlocking } = expected;
    expect(await countSchedules(program)).toStrictEqual({ states, interleavings, deadlocking });
  });
});

describe("run one after the other, the schedules are as many as the table says, of", () => {
  const small = rows.filter(({ expected }) => expected.interleavings <= SCHEDULES_RUN_MAX);

  it.each(small)("$name", { timeout: SLOW_MS }, async ({ program, expected }) => {
    const scenario = programScenario(program.build, () => undefined);
    const report = await explore(scenario, "program", { after: "all" });
    const { runs, failingRuns, isComplete } = report;
    expect({ runs: BigInt(runs), failingRuns: BigInt(failingRuns), isComplete }).toStrictEqual({
      runs: expected.interleavings,
      failingRuns: expected.deadlocking,
      isComplete: true,
    });
  });
});

describe("run once each, the classes of schedules are as many as the table says, of", () => {
  const small = rows.filter(({ expected }) => expected.traces <= TRACES_RUN_MAX);

  it.each(small)("$name", { timeout: SLOW_MS }, async ({ program, expected }) => {
    const { traces, deadTraces } = expected;
    expect(await runTraces(program)).toStrictEqual({ traces, deadTraces });
  });
});

describe("a timer that asks for memory again hides the deadlock from who looks for no step", () => {
  const expected: Readonly<Record<string, readonly number[]>> = {
    "bioSplit(n=2,k=2,m=2,bug)": [1, 0, 1, 14],
    "bioSplit(n=3,k=2,m=3,bug)": [1, 0, 1, 156],
    "bioSplit(n=2,k=2,m=2,submitFirst)": [0, 0, 0, 18],
    "bioSplit(n=2,k=2,m=2,rescuer)": [0, 0, 0, 56],
  };

  it.each(retryingPrograms)("of $name, and leaves as many states hopeless", async (program) => {
    const counts = countRetries(await WalkedGraph.of(program), isSubmitter);
    const { deadlocked, deadlockedWithTimer, hopeless, firingsInVain } = counts;
    const counted = [deadlocked, deadlockedWithTimer, hopeless, firingsInVain];
    expect(counted).toStrictEqual(expected[program.name]);
  });
});
