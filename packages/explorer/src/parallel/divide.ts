import { Tally } from "../report.ts";
import type { Runner } from "../run.ts";
import type { Failure } from "../search.ts";
import { type Frontier, DporFrontier, ExhaustiveFrontier } from "./frontier.ts";
import type { DrawingStrategy, Job } from "./job.ts";

/** A search in parts: what is still to be done, and what was done while dividing it. */
export interface Division {
  readonly jobs: readonly Job[];
  readonly tally: Tally;
  readonly best: Failure | null;
  /** Whether the parts and what was done are all schedules. */
  readonly isExhaustive: boolean;
}

/** Beyond this many levels no more parts are to be had: the tree is a string. */
const LEVELS_MAX = 60;
/** Runs of one part of a search that draws lots. */
const DRAWN_AT_ONCE = 250;

/** Expands the top levels of all there is to choose, until they have at least `wanted` ends. */
export async function divideProof(
  runner: Runner,
  strategy: "exhaustive" | "dpor",
  wanted: number,
): Promise<Division> {
  for (let levels = 1; ; levels += 1) {
    const frontier =
      strategy === "dpor" ? new DporFrontier(levels) : new ExhaustiveFrontier(levels);
    const division = await expand(runner, frontier);
    const { length } = division.jobs;
    if (length === 0 || length >= wanted || levels >= LEVELS_MAX) return division;
  }
}

async function expand(runner: Runner, frontier: Frontier): Promise<Division> {
  const tally = new Tally();
  let best: Failure | null = null;
  runner.watch();
  try {
    while (frontier.beginRun()) {
      const { length } = frontier.jobs;
      const outcome = await runner.once({ strategy: frontier });
      // What was handed out is counted by whoever goes on with it.
      if (frontier.jobs.length > length) continue;
      const { finding, steps, world } = outcome;
      tally.add(outcome, finding);
      if (finding === null || (best !== null && best.steps <= steps)) continue;
      best = { taken: world.scheduler.taken, finding, steps };
    }
  } finally {
    runner.unwatch();
  }
  return { jobs: frontier.jobs, tally, best, isExhaustive: frontier.isExhaustive };
}

/** Draws in parts, each with a seed of its own: which worker does which makes no difference. */
export function divideDrawing(
  strategy: DrawingStrategy,
  { seed, depth, executions }: { seed: number; depth: number | null; executions: number },
): Division {
  const jobs: Job[] = [];
  for (let begin = 0; begin < executions; begin += DRAWN_AT_ONCE) {
    const count = Math.min(DRAWN_AT_ONCE, executions - begin);
    const part = { strategy, seed: partSeed(seed, jobs.length), depth, executions: count };
    jobs.push({ kind: "draw", ...part });
  }
  return { jobs, tally: new Tally(), best: null, isExhaustive: false };
}

/** Two numbers stirred into one, so that neighbouring campaigns share no part. */
function partSeed(campaign: number, part: number): number {
  let x = Math.imul(campaign ^ 0x9e3779b1, 0x85ebca6b) ^ Math.imul(part + 1, 0xc2b2ae35);
  x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d);
  return (x ^ (x >>> 13)) >>> 0;
}
