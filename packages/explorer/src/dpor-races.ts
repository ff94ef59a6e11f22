import type { Cell } from "./cell.ts";
import { type Commute, conflict } from "./dependency.ts";
import { type DporStep, Readiness, type Wish } from "./dpor-step.ts";
import { addStep, addSteps, hasStep } from "./happens-before.ts";

/** The schedule at hand: the steps so far, and the cells as they are now. */
export interface Schedule {
  readonly steps: readonly DporStep[];
  readonly cells: readonly Cell[];
  readonly commute: Commute;
}

/** The first step that time has not moved since, seen from `end`. */
function beginOf({ steps }: Schedule, end: number): number {
  let begin = end;
  while (begin > 0 && steps[begin]?.isAfterTimer !== true) begin -= 1;
  return begin;
}

/** Notes which of the steps before the one at `at` happen before it. */
export function linkStep(schedule: Schedule, at: number): void {
  const { steps, commute } = schedule;
  const step = steps[at];
  if (step === undefined) return;
  const before: number[] = [];
  const begin = beginOf(schedule, at);
  for (let i = at - 1; i >= begin; i -= 1) {
    const earlier = steps[i];
    if (earlier === undefined || hasStep(before, i)) continue;
    const isLink = i === step.after || i === step.wokenBy || earlier.key === step.key;
    if (!isLink && !conflict(earlier.uses, step.uses, commute)) continue;
    addSteps(before, earlier.before);
    addStep(before, i);
  }
  step.before = before;
}

/**
 * Looks for steps before `end` that could have come after `wish`, and has what such a schedule
 * begins with tried in their place.
 */
export function reverseRaces(schedule: Schedule, wish: Wish, end: number): void {
  const { steps } = schedule;
  const settled = settledBefore(schedule, wish);
  const direct: number[] = [];
  const begin = beginOf(schedule, end);
  for (let i = end - 1; i >= begin; i -= 1) {
    const earlier = steps[i];
    if (earlier === undefined || earlier.key === wish.key || hasStep(settled, i)) continue;
    if (i !== wish.wokenBy && !conflict(earlier.uses, wish.uses, schedule.commute)) continue;
    // Whoever stands between the two races with the wish itself.
    if (direct.some((k) => hasStep(steps[k]?.before ?? [], i))) continue;
    const others = withoutEffects(schedule, i, end);
    if (isWokenBecauseOf(schedule, wish, i)) {
      // Somebody else may have woken it, if there is anybody else.
      if (others.length > 0) tryInstead(schedule, i, others, wish);
    } else if (wish.readiness === Readiness.Unknown) {
      tryInstead(schedule, i, others, wish);
    } else if (wish.guard === null || holdsAfter(schedule, i, others, wish.guard)) {
      direct.push(i);
      tryInstead(schedule, i, others, wish);
    }
  }
}

/** What happens before the step that the actor of the wish took last. */
function settledBefore({ steps }: Schedule, { after }: Wish): readonly number[] {
  const settled = [...(steps[after]?.before ?? [])];
  if (after >= 0) addStep(settled, after);
  return settled;
}

/** The steps behind `i` that do not need it. */
function withoutEffects({ steps }: Schedule, i: number, end: number): readonly number[] {
  const others: number[] = [];
  for (let k = i + 1; k < end; k += 1) if (!hasStep(steps[k]?.before ?? [], i)) others.push(k);
  return others;
}

function isWokenBecauseOf({ steps }: Schedule, { wokenBy }: Wish, i: number): boolean {
  return wokenBy === i || (wokenBy > i && hasStep(steps[wokenBy]?.before ?? [], i));
}

/** Whether a guard holds in the state before step `i` once `others` were taken there. */
function holdsAfter(
  { steps, cells }: Schedule,
  i: number,
  others: readonly number[],
  guard: () => boolean,
): boolean {
  const now = cells.map(({ value }) => value);
  const valuesAt = (step: number): readonly number[] => steps[step]?.values ?? now;
  const then = [...valuesAt(i)];
  for (const k of others) {
    const [from, to] = [valuesAt(k), valuesAt(k + 1)];
    for (let c = 0; c < then.length; c += 1) {
      then[c] = (then[c] ?? 0) + (to[c] ?? 0) - (from[c] ?? 0);
    }
  }
  for (const [c, cell] of cells.entries()) cell.value = then[c] ?? 0;
  const holds = guard();
  for (const [c, cell] of cells.entries()) cell.value = now[c] ?? 0;
  return holds;
}

/** Has one of those tried at step `i` with whom `others`, and then the wish, can begin. */
function tryInstead(schedule: Schedule, i: number, others: readonly number[], wish: Wish): void {
  const at = schedule.steps[i];
  if (at === undefined) return;
  const first = initials(schedule, others, wish).filter((key) => at.enabled.includes(key));
  if (first.some((key) => at.backtrack.includes(key) || at.isAsleep(key))) return;
  const chosen = first.includes(wish.key) ? wish.key : first[0];
  if (chosen !== undefined) at.backtrack.push(chosen);
}

function initials({ steps, commute }: Schedule, others: readonly number[], wish: Wish): number[] {
  const seen = new Set<number>();
  const first: number[] = [];
  for (const k of others) {
    const step = steps[k];
    if (step === undefined || seen.has(step.key)) continue;
    seen.add(step.key);
    if (!others.some((other) => hasStep(step.before, other))) first.push(step.key);
  }
  const isHeldBack = others.some(
    (k) =>
      k === wish.after || k === wish.wokenBy || conflict(steps[k]?.uses ?? [], wish.uses, commute),
  );
  if (!seen.has(wish.key) && !isHeldBack) first.push(wish.key);
  return first;
}
