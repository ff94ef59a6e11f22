import { bothReadOrBothGive, conflict } from "../dependency.ts";
import { endDifference, type Observed, stepDifference } from "./compare.ts";
import type { ObservedStep } from "./observed-run.ts";

/**
 * The places, from 0, of steps that could as well come after the one behind them: another's, who
 * could have gone first, and with which they have nothing in common, as far as both have said.
 */
export function swappable(steps: readonly ObservedStep[]): readonly number[] {
  const places: number[] = [];
  for (let at = 0; at + 1 < steps.length; at += 1) {
    const [first, second] = [steps[at], steps[at + 1]];
    if (first !== undefined && second !== undefined && mayChange(first, second)) places.push(at);
  }
  return places;
}

function mayChange(first: ObservedStep, second: ObservedStep): boolean {
  if (first.who === second.who || second.isAfterTimer) return false;
  const there = first.enabled.indexOf(second.who);
  if (there < 0 || first.offered[there] !== second.what) return false;
  // Two who ask may share a budget, and what the first one takes of it the second one cannot.
  if (first.outcomes.length > 0 && second.outcomes.length > 0) return false;
  if (first.outcomes.some(({ taken }) => taken > 0)) return false;
  return !conflict(first.uses, second.uses, bothReadOrBothGive);
}

/** The steps with the one at `at` and the next in the other order. */
export function swapped(steps: readonly ObservedStep[], at: number): readonly ObservedStep[] {
  const [first, second] = [steps[at], steps[at + 1]];
  if (first === undefined || second === undefined) return steps;
  return [...steps.slice(0, at), second, first, ...steps.slice(at + 2)];
}

/** What the order of the steps at `at` and behind it has changed; null: nothing. */
export function swapDifference(expected: Observed, seen: Observed, at: number): string | null {
  for (const [index, step] of swapped(expected.steps, at).entries()) {
    const now = seen.steps[index];
    // Between the two, one of them is to come, and it is the other one now.
    const text =
      index <= at + 1
        ? stepDifference(withoutOthers(step), now && withoutOthers(now))
        : stepDifference(step, now);
    if (text !== null) return `step ${String(index + 1)} ${text}`;
  }
  // A run that was given up has no end to compare.
  return expected.outcome.stop.why === "given-up" ? null : endDifference(expected, seen);
}

function withoutOthers(step: ObservedStep): ObservedStep {
  return { ...step, enabled: [], offered: [] };
}
