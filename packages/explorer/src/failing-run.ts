import { ENDS_OF_WAITS, type Finding } from "./finding.ts";
import { FollowIndices } from "./follow.ts";
import { fullReplayLineOf, parseReplayLine, replayLineOf } from "./replay-line.ts";
import { type RecordedRun, Runner, STEPS_MAX } from "./run.ts";
import type { Decision } from "./decisions.ts";
import { WHOLE } from "./input.ts";
import { shrink } from "./shrink.ts";
import { type WaitGraph, waitGraphOf } from "./render/wait-graph.ts";
import { WaitForGraph } from "./wait-for-graph.ts";
import { signatureOf } from "./signature.ts";
import { SoftFollow } from "./soft-follow.ts";

/** Who waits for whom when a run is over; null when nobody is stuck. */
export function waitsOf({ vocabularies }: Runner, { outcome }: RecordedRun): WaitGraph | null {
  const { finding, world } = outcome;
  if (finding === null || !ENDS_OF_WAITS.has(finding.kind)) return null;
  return waitGraphOf(new WaitForGraph(world, vocabularies));
}

/** A failure that was repeated, made smaller, and written down. */
export interface FailingRun {
  readonly finding: Finding;
  readonly recorded: RecordedRun;
  readonly decisions: readonly Decision[];
  /** Null: the line alone does not repeat the run. */
  readonly replayLine: string | null;
}

/** Repeats the choices that led to a finding. `keepsSteps`: it is known that none is shorter. */
export async function failingRun(
  runner: Runner,
  { taken, finding }: { readonly taken: readonly number[]; readonly finding: Finding },
  keepsSteps: boolean,
): Promise<FailingRun> {
  const first = await runner.record(new FollowIndices(taken));
  const again = first.outcome.finding;
  if (again?.kind !== finding.kind || again.message !== finding.message) {
    const shown = nondeterministic(finding, again);
    return { finding: shown, recorded: first, decisions: [], replayLine: null };
  }
  const { recorded, decisions } = await shrink(runner, first, keepsSteps);
  const shown = recorded.outcome.finding ?? finding;
  return { finding: shown, recorded, decisions, replayLine: await lineOf(runner, recorded) };
}

/** Repeats a run that an audit complains of: by itself it does not fail, so it cannot be made smaller. */
export async function suspiciousRun(
  runner: Runner,
  { taken, finding }: { readonly taken: readonly number[]; readonly finding: Finding },
): Promise<FailingRun> {
  const recorded = await runner.record(new FollowIndices(taken));
  return { finding, recorded, decisions: [], replayLine: null };
}

/**
 * The shortest line that was seen to lead to the same. What was taken away is part of it where the
 * failure is another one with it: so the line does not change with every task that is added.
 */
async function lineOf({ plan }: Runner, recorded: RecordedRun): Promise<string | null> {
  const { finding } = recorded.outcome;
  const lines = [
    replayLineOf(plan, { ...recorded, input: WHOLE }),
    replayLineOf(plan, recorded),
    fullReplayLineOf(plan, recorded),
  ];
  let similar: string | null = null;
  for (const line of new Set(lines)) {
    const { input, stretches, cut } = parseReplayLine(line);
    const runner = new Runner({ ...plan, seed: 1, stepsMax: STEPS_MAX, cut });
    const { outcome } = await runner.record(new SoftFollow(stretches), input);
    if (signatureOf(outcome.finding) !== signatureOf(finding)) continue;
    if (outcome.finding?.message === finding?.message) return line;
    similar ??= line;
  }
  return similar;
}

function nondeterministic(first: Finding, again: Finding | null): Finding {
  const second = again === null ? "nothing" : `${again.kind}: ${again.message}`;
  const message = `the same choices led to ${first.kind}: ${first.message}; then to ${second}`;
  return { kind: "NONDETERMINISM", message };
}
