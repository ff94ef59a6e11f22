import type { TaskBody } from "@blkstack/task";
import { FoundError } from "./assert-nothing-found.ts";
import { environmentValue } from "./event-loop.ts";
import { explore } from "./explore.ts";
import type { ExploreOptions } from "./explore-options.ts";
import { replay } from "./replay.ts";
import { parseReplayLine } from "./replay-line.ts";
import type { Report } from "./report.ts";
import { type Expectation, type Scenario, variantOf, type World } from "./scenario.ts";

/** A program made of tasks, afresh for each run. */
export interface TestProgram {
  /** By name; each must come to its end. */
  readonly tasks: Readonly<Record<string, TaskBody>>;
  /** Called when all have ended: throws, or answers complaints, when something is wrong. */
  check?(): Iterable<string> | undefined;
}

/** Makes the locks, the variables and the tasks of one run. */
export type MakeProgram = (world: World) => TestProgram;

export interface TestOptions extends ExploreOptions {
  /** "proof": the test fails too when the budget ends before all was run. Default: it passes. */
  readonly require?: "proof";
  /** The line of a failure: this one run, and no other. Default: REPLAY of the environment. */
  readonly replay?: string;
}

/** What vitest and node:test hand to a test, as far as it is of use here. */
export interface TestContext {
  readonly name?: string;
  readonly task?: { readonly name: string };
  readonly signal?: AbortSignal;
}

/** Of a program that is written in the test itself, and has but one variant. */
const VARIANT = "test";

/**
 * A test for `test(name, …)` of vitest or node:test, that runs a program under every schedule and
 * fails with the story of one that fails: what is wrong, the line that repeats it, then the rest. A
 * scenario's variant that expects a failure passes when just that is found. With the line in REPLAY
 * of the environment, the test that it names makes that run alone.
 */
export function exploreTest(program: MakeProgram, options?: TestOptions): ExplorationTest;
export function exploreTest(
  scenario: Scenario,
  variant: string,
  options?: TestOptions,
): ExplorationTest;
export function exploreTest(
  what: MakeProgram | Scenario,
  ...rest: readonly (string | TestOptions | undefined)[]
): ExplorationTest {
  if (typeof what !== "function") {
    const [variant, options] = rest as readonly [string, TestOptions | undefined];
    return (context) => exploreOrReplay(what, variant, { ...ending(context), ...options });
  }
  const [options] = rest as readonly [TestOptions | undefined];
  return (context) => {
    const scenario = scenarioOf(what, context?.task?.name ?? context?.name ?? "program");
    return exploreOrReplay(scenario, VARIANT, { ...ending(context), ...options });
  };
}

export type ExplorationTest = (context?: TestContext) => Promise<void>;

/** A runner that gives a test up for its time tells it so. */
function ending({ signal }: TestContext = {}): TestOptions {
  return signal === undefined ? {} : { signal };
}

async function exploreOrReplay(
  scenario: Scenario,
  variant: string,
  { replay: line = environmentValue("REPLAY"), require, ...options }: TestOptions,
): Promise<void> {
  if (line !== undefined && isOf(line, scenario, variant)) {
    const { report } = await replay(scenario, line);
    if (report.verdict === "found") throw new FoundError(report, failureText(report));
    return;
  }
  const report = await explore(scenario, variant, options);
  const { expect } = variantOf(scenario, variant);
  const complaint = complaintAbout(report, expect, require === "proof");
  if (complaint !== null) throw new FoundError(report, complaint);
}

/** Null: it is as expected. */
function complaintAbout(report: Report, expect: Expectation, needsProof: boolean): string | null {
  const { verdict, kind, story } = report;
  if (expect === "ok") {
    if (verdict === "found") return failureText(report);
    return needsProof && verdict !== "proved" ? `expected a proof\n${story}` : null;
  }
  if (verdict !== "found") return `expected ${expect}, which was not found\n${story}`;
  return kind === expect ? null : `expected ${expect}; found ${failureText(report)}`;
}

/** What is wrong, the line that repeats it, and the story. */
function failureText({ kind, message, replayLine, story }: Report): string {
  const again = replayLine === null ? "no line alone repeats it" : `REPLAY="${replayLine}"`;
  return `${String(kind)}: ${message}\n${again}\n\n${story}`;
}

function isOf(line: string, scenario: Scenario, variant: string): boolean {
  const of = parseReplayLine(line);
  return of.scenario === scenario.name && of.variant === variant;
}

function scenarioOf(makeProgram: MakeProgram, name: string): Scenario {
  return {
    // One word, for the line that repeats a failure.
    name: name.replaceAll(/[^\w.-]+/g, "-").replaceAll(/^-+|-+$/g, "") || "program",
    summary: name,
    variants: { [VARIANT]: { expect: "ok", summary: name } },
    build(world) {
      const program = makeProgram(world);
      for (const [task, body] of Object.entries(program.tasks)) world.spawn(task, body);
      world.atEnd(() => complaintsOf(program));
    },
  };
}

function complaintsOf(program: TestProgram): Iterable<string> {
  try {
    return program.check?.() ?? [];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}
