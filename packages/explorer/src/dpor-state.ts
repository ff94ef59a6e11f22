import { type AsleepActor, DporStep, Readiness } from "./dpor-step.ts";
import {
  booleanIn,
  fieldIn,
  listIn,
  numberIn,
  numbersIn,
  SavedStateError,
  stringIn,
} from "./saved.ts";

/** Where a reduced search stands between two runs; also what all schedules of one part begin with. */
export interface DporState {
  readonly isFirstRun: boolean;
  readonly isExhaustive: boolean;
  /** The labels of shared objects, in the order of their numbers. */
  readonly objects: readonly string[];
  readonly steps: readonly SavedStep[];
}

/** A step, without its guard: who takes it again announces it again. */
type SavedStep = Pick<
  DporStep,
  | "enabled"
  | "values"
  | "backtrack"
  | "key"
  | "uses"
  | "allUses"
  | "readiness"
  | "after"
  | "wokenBy"
  | "made"
  | "woke"
  | "isAfterTimer"
  | "before"
> & {
  readonly asleep: readonly AsleepActor[];
  readonly outcomes: readonly DporStep["outcomes"][number][];
};

/** A copy, for the step goes on changing. */
export function saveStep(step: DporStep): SavedStep {
  const { enabled, values, key, readiness, after, wokenBy, isAfterTimer, before } = step;
  return {
    ...{ enabled, values, key, readiness, after, wokenBy, isAfterTimer, before },
    asleep: [...step.asleep],
    backtrack: [...step.backtrack],
    uses: [...step.uses],
    allUses: [...step.allUses],
    outcomes: step.outcomes.map((outcome) => ({ ...outcome })),
    made: [...step.made],
    woke: [...step.woke],
  };
}

/** Throws a SavedStateError when the data is none of a step. */
export function loadStep(saved: unknown): DporStep {
  const asleep = listIn(saved, "asleep").map((each) => ({
    key: numberIn(each, "key"),
    uses: numbersIn(each, "uses"),
  }));
  const step = new DporStep(numbersIn(saved, "enabled"), numbersIn(saved, "values"), asleep);
  step.backtrack.push(...numbersIn(saved, "backtrack"));
  step.key = numberIn(saved, "key");
  step.uses = numbersIn(saved, "uses");
  step.allUses = numbersIn(saved, "allUses");
  step.outcomes = listIn(saved, "outcomes").map((outcome) => ({
    what: stringIn(outcome, "what"),
    taken: numberIn(outcome, "taken"),
    count: numberIn(outcome, "count"),
  }));
  step.readiness = readinessIn(saved);
  step.after = numberIn(saved, "after");
  step.wokenBy = numberIn(saved, "wokenBy");
  step.made = numbersIn(saved, "made");
  step.woke = numbersIn(saved, "woke");
  step.isAfterTimer = booleanIn(saved, "isAfterTimer");
  step.before = numbersIn(saved, "before");
  return step;
}

function readinessIn(saved: unknown): Readiness {
  const value = fieldIn(saved, "readiness");
  const known = Object.values(Readiness).find((each) => each === value);
  if (known === undefined) throw new SavedStateError("a readiness that there is not");
  return known;
}
