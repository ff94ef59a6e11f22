import { ExploredTask } from "./actor.ts";
import type { Attempts } from "./attempts.ts";
import { type Footprint, mustStayBehind } from "./footprint.ts";
import { type Override, Overridden, overridesOf } from "./overrides.ts";
import type { Recorder } from "./recorder.ts";
import { stretchesOf } from "./replay-line.ts";
import { wordOf } from "./word-of.ts";
import type { RecordedRun } from "./run.ts";
import { SoftFollow } from "./soft-follow.ts";

const DECISIONS_MAX = 2;
/** Pairs of steps tried the other way round. */
const SWAPS_MAX = 30;

/** That `first` came before `second`, each told as `ACTOR: STEP`; an outcome has no second. */
export interface Decision {
  readonly first: string;
  readonly second: string | null;
}

/** Which orders decide: what the run does not fail without, found by trying. */
export async function decisionsOf(
  attempts: Attempts,
  failing: RecordedRun,
): Promise<readonly Decision[]> {
  const chosen = await neededOverrides(attempts, failing);
  return chosen.length > 0 ? chosen : neededOrders(attempts, failing);
}

/** Each override is left out in turn. */
async function neededOverrides(
  attempts: Attempts,
  { recorder, input }: RecordedRun,
): Promise<readonly Decision[]> {
  const overrides = overridesOf(recorder.footprints);
  const decisions: Decision[] = [];
  for (const override of overrides) {
    if (decisions.length === DECISIONS_MAX || attempts.isSpent) break;
    const rest = overrides.filter((other) => other !== override);
    if ((await attempts.failing(new Overridden(rest), input)) !== null) continue;
    decisions.push(decisionOf(override, recorder));
  }
  return decisions;
}

/** Of a run that goes by itself: two steps are put the other way round, the last ones first. */
async function neededOrders(
  attempts: Attempts,
  { recorder, input }: RecordedRun,
): Promise<readonly Decision[]> {
  const { footprints } = recorder;
  let swaps = 0;
  for (const [late, later] of [...footprints.entries()].reverse()) {
    for (let early = late - 1; early >= 0; early -= 1) {
      const earlier = footprints[early];
      if (earlier === undefined || later.actor === earlier.actor) continue;
      if (!mustStayBehind(later, earlier)) continue;
      swaps += 1;
      if (swaps > SWAPS_MAX || attempts.isSpent) return [];
      const own = footprints.slice(early, late + 1).filter(({ actor }) => actor === later.actor);
      const stretches = stretchesOf([...footprints.slice(0, early), ...own]);
      const run = await attempts.run(new SoftFollow(stretches), input);
      if (run.outcome.finding !== null || !isSwapped(footprints, early, late, run)) continue;
      return [{ first: told(recorder, early), second: told(recorder, late) }];
    }
  }
  return [];
}

/** Whether what was the later step in a run is the earlier one in another. */
function isSwapped(
  footprints: readonly Footprint[],
  early: number,
  late: number,
  { recorder }: RecordedRun,
): boolean {
  const [first, second] = [footprints[early], footprints[late]];
  if (first === undefined || second === undefined) return false;
  const placeOf = (step: Footprint, index: number): number => {
    const isOwn = ({ actor }: Footprint): boolean => wordOf(actor) === wordOf(step.actor);
    const before = footprints.slice(0, index).filter(isOwn).length;
    const own = recorder.footprints.filter(isOwn)[before];
    return own === undefined ? Infinity : recorder.footprints.indexOf(own);
  };
  return placeOf(second, late) < placeOf(first, early);
}

function told({ steps }: Recorder, at: number): string {
  return `${steps[at]?.actor ?? ""}: ${steps[at]?.what ?? ""}`;
}

/** What an override puts before what: the first two steps whose order can be told. */
function decisionOf({ index, chosen }: Override, recorder: Recorder): Decision {
  const { footprints } = recorder;
  const { insteadOf } = footprints[index] ?? {};
  if (typeof chosen === "number") {
    const { outcomes = [], answers = [] } = footprints[index] ?? {};
    const answer = answers[outcomes.indexOf(chosen)] ?? "bad luck";
    return { first: `${told(recorder, index)}; ${answer}`, second: null };
  }
  if (!insteadOf) return { first: told(recorder, index), second: null };
  let pending = "";
  for (const [at, footprint] of footprints.entries()) {
    if (at < index || footprint.actor !== insteadOf) continue;
    const behind = footprints.findIndex(
      (first, place) => place >= index && place < at && mustStayBehind(footprint, first),
    );
    if (behind >= 0 && footprints[behind]?.actor !== insteadOf) {
      return { first: told(recorder, behind), second: told(recorder, at) };
    }
    pending = told(recorder, at);
  }
  if (insteadOf instanceof ExploredTask && insteadOf.guard !== null) {
    pending = `${insteadOf.name}: ${insteadOf.access.label}`;
  }
  return { first: told(recorder, index), second: pending === "" ? null : pending };
}
