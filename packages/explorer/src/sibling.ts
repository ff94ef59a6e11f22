import type { RecordedStep } from "./recorder.ts";
import { stretchesOf } from "./replay-line.ts";
import { type RecordedRun, Runner } from "./run.ts";
import { SoftFollow } from "./soft-follow.ts";

/** Variants looked at. */
const VARIANTS_MAX = 12;

/** Where a variant in which nothing goes wrong leaves the way of a failing run. */
export interface Sibling {
  readonly variant: string;
  /** The first step that is another one there, from 1. */
  readonly step: number;
  /** What is done there instead. */
  readonly what: string;
}

/**
 * Follows a failing run in the variants that are expected to be right, and answers the one that
 * goes along for longest. Null when none begins alike, or ends well on this way.
 */
export async function siblingOf({ plan }: Runner, failing: RecordedRun): Promise<Sibling | null> {
  const { steps, footprints } = failing.recorder;
  const stretches = stretchesOf(footprints);
  let nearest: Sibling | null = null;
  const right = Object.entries(plan.scenario.variants)
    .filter(([name, { expect }]) => expect === "ok" && name !== plan.variant)
    .slice(0, VARIANTS_MAX);
  for (const [variant] of right) {
    const runner = new Runner({ ...plan, variant });
    const followed = await runner
      .record(new SoftFollow(stretches), failing.input)
      // One that cannot be built explains nothing, and is not what was asked for.
      .catch(() => null);
    if (followed?.outcome.finding !== null) continue;
    const { recorder } = followed;
    const alike = lengthAlike(steps, recorder.steps);
    const other = recorder.steps[alike];
    if (alike === 0 || other === undefined || alike < (nearest?.step ?? 1)) continue;
    nearest = {
      variant,
      step: alike + 1,
      what: difference(other, steps[alike], recorder.steps[alike + 1]),
    };
  }
  return nearest;
}

function lengthAlike(one: readonly RecordedStep[], other: readonly RecordedStep[]): number {
  const length = one.findIndex((step, index) => textOf(step) !== textOf(other[index]));
  return length < 0 ? one.length : length;
}

function textOf(step: RecordedStep | undefined): string {
  return step === undefined ? "" : [step.actor, step.what, ...step.notes].join("; ");
}

/** `bob: lock mutex "A"`; of a step that begins alike, what it or the next one goes on with. */
function difference(
  there: RecordedStep,
  here: RecordedStep | undefined,
  next: RecordedStep | undefined,
): string {
  const { actor, what, notes } = there;
  const whole = `${actor}: ${what}`;
  if (here?.actor !== actor || here.what !== what) return whole;
  const other = notes.find((note, index) => note !== here.notes[index]);
  if (other !== undefined) return `${whole}; ${other}`;
  return next === undefined ? whole : `${whole}, then ${next.actor}: ${next.what}`;
}
