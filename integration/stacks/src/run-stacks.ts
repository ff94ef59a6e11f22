import type { Sectors } from "@blkstack/bio";
import fc from "fast-check";
import { playExplored } from "./explored-world.ts";
import { layOut } from "./lay-out.ts";
import { type Layout, layoutText } from "./layout.ts";
import { STACK_PARTS } from "./parts/index.ts";
import { stackPlans } from "./plan.ts";
import type { Play } from "./player.ts";
import { groundFor, playForReal } from "./real-world.ts";
import type { StackPart } from "./stack-part.ts";
import { type StepCode, stepCodes } from "./steps.ts";

/** On the event loop, or under the explorer. */
export type StackWorld = "real" | "explored";

export interface RunStacksOptions {
  readonly world: StackWorld;
  /** Of the first stack; each further one has the next number. */
  readonly seed: number;
  /** How many stacks. */
  readonly stacks: number;
  /** Bios and commands that each stack gets. */
  readonly iosPerStack: number;
  /** Schedules of each stack, where they are explored. Default: 10. */
  readonly schedulesPerStack?: number;
  /** What stacks are made of. Default: all targets of this repository; add your own to `STACK_PARTS`. */
  readonly parts?: readonly StackPart[];
  /** How many devices stand upon each other, at most. Default: 3. */
  readonly levels?: number;
  /** Goes straight to a failure that was made smaller, as its command says. */
  readonly path?: string;
  /** How often a failing stack is tried with something left out, at most. Default: 2000. */
  readonly shrinksMax?: number;
  /** Told after each stack. */
  readonly onProgress?: (sums: StackSums) => void;
}

/** What was done so far. */
export interface StackSums {
  readonly stacks: number;
  readonly devices: number;
  readonly tableLines: number;
  /** Bios and commands; of explored stacks, in each schedule. */
  readonly ios: number;
  readonly schedules: number;
  /** How many lines of each kind there were. */
  readonly linesOf: Readonly<Record<string, number>>;
}

/** A stack that did not do as the model, made as small as could be. */
export interface StackFailure {
  readonly seed: number;
  readonly path: string | null;
  readonly layout: Layout;
  readonly steps: number;
  readonly problems: readonly string[];
  /** All of it, with a command that repeats it. */
  readonly text: string;
}

export interface StacksReport extends StackSums {
  /** The first one; null: every stack did as the model. */
  readonly failure: StackFailure | null;
}

/** Explored stacks are small: what is long takes many steps, and shows nothing else. */
const SCALE: Readonly<Record<StackWorld, { senders: number; sizeSectorsMax: Sectors }>> = {
  real: { senders: 4, sizeSectorsMax: 96 },
  explored: { senders: 3, sizeSectorsMax: 24 },
};
const SCHEDULES = 10;
const SHRINKS_MAX = 2000;
const LEVELS = 3;

/** Makes stacks at random and holds each to its model, up to the first that does otherwise. */
export async function runStacks(options: RunStacksOptions): Promise<StacksReport> {
  const { seed, stacks, onProgress } = options;
  const sums = { stacks: 0, devices: 0, tableLines: 0, ios: 0, schedules: 0, linesOf: {} };
  for (let index = 0; index < stacks; index += 1) {
    const failure = await checkStack(seed + index, options, sums);
    if (failure !== null) return { ...sums, failure };
    sums.stacks += 1;
    onProgress?.(sums);
  }
  return { ...sums, failure: null };
}

/** Throws what `failure` says, if there is one. */
export function assertSameAsModel({ failure }: StacksReport): void {
  if (failure !== null) throw new Error(failure.text);
}

interface Sums {
  devices: number;
  tableLines: number;
  ios: number;
  schedules: number;
  readonly linesOf: Record<string, number>;
}

interface Found {
  readonly layout: Layout;
  readonly steps: number;
  readonly problems: readonly string[];
}

async function checkStack(
  seed: number,
  options: RunStacksOptions,
  sums: Sums,
): Promise<StackFailure | null> {
  const { parts = STACK_PARTS, levels = LEVELS, iosPerStack, path } = options;
  const { shrinksMax = SHRINKS_MAX } = options;
  let found: Found | null = null as Found | null;
  let shrinks = 0;
  const { sizeSectorsMax, senders: several } = SCALE[options.world];
  const arbitrary = fc.record({
    senders: fc.constantFrom(1, several, several, several),
    plan: stackPlans({ parts, levels, sizeSectorsMax }),
    codes: stepCodes(iosPerStack),
  });
  const property = fc.asyncProperty(arbitrary, async ({ plan, ...drawn }) => {
    if (found !== null && (shrinks += 1) > shrinksMax) return;
    const layout = layOut(plan, parts);
    // What only makes a failure smaller does not count.
    const counted = found === null ? sums : { ...sums, linesOf: {} };
    const problems = await play({ layout, ...drawn }, seed, options, counted);
    if (problems.length === 0) return;
    found = { layout, steps: drawn.codes.length, problems };
    throw new Error(problems[0]);
  });
  const replayed = path === undefined ? {} : { path, endOnFailure: true };
  const details = await fc.check(property, { seed, numRuns: 1, ...replayed });
  if (!details.failed) return null;
  if (found === null)
    throw new Error("a stack could not be made", { cause: details.errorInstance });
  return failureOf(seed, details.counterexamplePath, found, options);
}

interface Drawn {
  readonly layout: Layout;
  readonly codes: readonly StepCode[];
  readonly senders: number;
}

async function play(
  { layout, codes, senders }: Drawn,
  seed: number,
  options: RunStacksOptions,
  sums: Sums,
): Promise<readonly string[]> {
  const { world, parts = STACK_PARTS, schedulesPerStack: schedules = SCHEDULES } = options;
  const given: Play = { layout, parts, codes, senders };
  count(layout, sums);
  if (world === "real") {
    sums.ios += codes.length;
    return playForReal(given, await groundFor(seed));
  }
  const explored = await playExplored(given, { seed, schedules });
  sums.ios += codes.length * explored.schedules;
  sums.schedules += explored.schedules;
  return explored.problems;
}

function count({ devices }: Layout, sums: Sums): void {
  sums.devices += devices.length;
  for (const { part } of devices.flatMap(({ lines }) => lines)) {
    sums.tableLines += 1;
    sums.linesOf[part] = (sums.linesOf[part] ?? 0) + 1;
  }
}

function failureOf(
  seed: number,
  path: string | null,
  found: Found,
  options: RunStacksOptions,
): StackFailure {
  const text = [
    `a stack does not do as the model (seed ${String(seed)}, ${options.world}):`,
    layoutText(found.layout),
    ...found.problems,
    `repeat: ${repetition(seed, path, options)}`,
  ].join("\n");
  return { seed, path, text, ...found };
}

/** What leads straight to a failure: our command, or options for whoever has parts of his own. */
function repetition(
  seed: number,
  path: string | null,
  { world, iosPerStack, schedulesPerStack = SCHEDULES, parts }: RunStacksOptions,
): string {
  const isReal = world === "real";
  if (parts !== undefined) {
    const schedules = isReal ? {} : { schedulesPerStack };
    const options = { world, seed, stacks: 1, iosPerStack, ...schedules };
    return JSON.stringify(path === null ? options : { ...options, path });
  }
  const schedules = isReal ? "" : ` --schedules ${String(schedulesPerStack)}`;
  const numbers = `--seed ${String(seed)} --stacks 1 --ios ${String(iosPerStack)}${schedules}`;
  const to = path === null ? "" : ` --path ${path}`;
  return `npm run -s stacks -- --world ${world} ${numbers}${to}`;
}
