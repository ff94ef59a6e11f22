import type { Outcome } from "../run.ts";
import { signatureOf } from "../signature.ts";
import type { ObservedStep } from "./observed-run.ts";

/** An audited run: its steps, and how it ended. */
export interface Observed {
  readonly steps: readonly ObservedStep[];
  readonly outcome: Outcome;
  /** What was known of shared things when it was over; later runs may have changed what tells. */
  readonly left: string;
}

export function observed(steps: readonly ObservedStep[], outcome: Outcome): Observed {
  return { steps, outcome, left: outcome.world.stateText() };
}

/** What is different in the second of two runs that should be equal, in words; null: nothing. */
export function difference(expected: Observed, seen: Observed): string | null {
  for (const [index, step] of expected.steps.entries()) {
    const text = stepDifference(step, seen.steps[index]);
    if (text !== null) return `step ${String(index + 1)} ${text}`;
  }
  if (seen.steps.length > expected.steps.length) return "there are more steps";
  return endDifference(expected, seen);
}

/** Of one step; the order in which those who could go on are offered is nobody's business. */
export function stepDifference(
  expected: ObservedStep,
  seen: ObservedStep | undefined,
): string | null {
  const was = `"${expected.who}: ${expected.what}"`;
  if (seen === undefined) return `was ${was}, which cannot be taken then`;
  if (seen.who !== expected.who || seen.what !== expected.what) {
    return `was ${was}, and then is "${seen.who}: ${seen.what}"`;
  }
  const [before, now] = [offers(expected), offers(seen)];
  if (before !== now) return `(${was}) was one of ${before}, and then of ${now}`;
  const [asked, askedNow] = [questions(expected), questions(seen)];
  if (asked !== askedNow) return `(${was}) asked for ${asked}, and then for ${askedNow}`;
  return null;
}

/** How the runs ended, and what they left behind. */
export function endDifference(expected: Observed, seen: Observed): string | null {
  const [before, now] = [endOf(expected.outcome), endOf(seen.outcome)];
  if (before !== now) return `the run ended with ${before}, and then with ${now}`;
  if (expected.left !== seen.left) {
    return `what was left was "${expected.left}", and then is "${seen.left}"`;
  }
  const [stood, standing] = [tasksOf(expected.outcome), tasksOf(seen.outcome)];
  return stood === standing ? null : `the tasks were ${stood}, and then are ${standing}`;
}

function offers({ enabled, offered }: ObservedStep): string {
  return enabled
    .map((who, index) => `${who}: ${offered[index] ?? ""}`)
    .sort()
    .join(" / ");
}

function questions({ outcomes }: ObservedStep): string {
  const texts = outcomes.map(({ what, count }) => `${what} (${String(count)})`);
  return texts.length === 0 ? "nothing" : texts.join(", ");
}

function endOf({ finding, stop }: Outcome): string {
  return signatureOf(finding) ?? (stop.why === "quiet" ? "nothing wrong" : stop.why);
}

function tasksOf({ world }: Outcome): string {
  const texts = world.scheduler.tasks.map(
    ({ name, state, waitingFor }) => `${name} ${String(state)} ${waitingFor?.label ?? ""}`,
  );
  return texts.sort().join(", ");
}
