import { ExploredTask } from "./actor.ts";
import { mustStayBehind } from "./footprint.ts";
import { type Override, Overridden, overridesOf } from "./overrides.ts";
import { FollowIndices } from "./follow.ts";
import type { Recorder } from "./recorder.ts";
import { fewestSwitches } from "./relinearise.ts";
import { stretchesOf } from "./replay-line.ts";
import type { RecordedRun, Runner } from "./run.ts";
import { signatureOf } from "./signature.ts";
import { SoftFollow } from "./soft-follow.ts";
import { preemptions } from "./strategies/bounded.ts";
import type { Strategy } from "./strategy.ts";

/** Runs at most to make one failure smaller. */
const RUNS_MAX = 300;
/** With more of them left, a search looks for a run with fewer; and how long it may take. */
const PREEMPTIONS_ENOUGH = 1;
const SEARCH_RUNS = 300;
const SEARCH_STEPS = [8, 16] as const;
/** A longer run is left as it is. */
const STEPS_MAX = 1_000;
const ROUNDS_MAX = 4;
const DECISIONS_MAX = 2;

/** What is left of a failure when everything was taken away that it does not need. */
export interface Shrunk {
  readonly recorded: RecordedRun;
  /** Pairs of steps whose order decides: the other way round the run does not fail so. */
  readonly decisions: readonly Decision[];
}

/** That `first` came before `second`, each told as `ACTOR: STEP`; an outcome has no second. */
export interface Decision {
  readonly first: string;
  readonly second: string | null;
}

/**
 * Looks for the run with the fewest preemptions, then the fewest steps, that fails in the same way.
 * Where the number of steps is known to be the smallest (`keepsSteps`) it does not grow.
 */
export function shrink(
  runner: Runner,
  recorded: RecordedRun,
  keepsSteps: boolean,
): Promise<Shrunk> {
  return new Shrinker(runner, recorded, keepsSteps).run();
}

class Shrinker {
  readonly #runner: Runner;
  readonly #signature: string | null;
  readonly #stepsMax: number;
  #best: RecordedRun;
  #runs = 0;

  constructor(runner: Runner, recorded: RecordedRun, keepsSteps: boolean) {
    this.#runner = runner;
    this.#best = recorded;
    this.#signature = signatureOf(recorded.outcome.finding);
    this.#stepsMax = keepsSteps ? recorded.recorder.steps.length : Infinity;
  }

  async run(): Promise<Shrunk> {
    const { steps } = this.#best.recorder;
    if (steps.length > STEPS_MAX) return { recorded: this.#best, decisions: [] };
    for (let round = 0; round < ROUNDS_MAX; round += 1) {
      const before = this.#best;
      await this.#dropOverrides();
      const order = fewestSwitches(this.#best.recorder.footprints);
      await this.#try(new SoftFollow(stretchesOf(order)));
      if (this.#best === before) break;
    }
    if (this.#best.recorder.preemptions > PREEMPTIONS_ENOUGH) await this.#searchFewer();
    return { recorded: this.#best, decisions: await this.#decisions() };
  }

  /** Delta debugging: ever smaller parts of the overrides are left out. */
  async #dropOverrides(): Promise<void> {
    let overrides = overridesOf(this.#best.recorder.footprints);
    let parts = 2;
    while (overrides.length > 0 && this.#runs < RUNS_MAX) {
      const size = Math.max(1, Math.ceil(overrides.length / parts));
      const smaller = await this.#withoutOnePart(overrides, size);
      if (smaller !== null) {
        overrides = smaller;
        parts = Math.max(2, parts - 1);
      } else if (size === 1) return;
      else parts = Math.min(overrides.length, parts * 2);
    }
  }

  async #withoutOnePart(
    overrides: readonly Override[],
    size: number,
  ): Promise<readonly Override[] | null> {
    for (let start = 0; start < overrides.length; start += size) {
      const rest = overrides.filter((_, index) => index < start || index >= start + size);
      const run = await this.#try(new Overridden(rest));
      if (run !== null) return rest;
    }
    return null;
  }

  /** The run, if it fails in the same way; kept if it is better than the best. */
  async #try(strategy: Strategy): Promise<RecordedRun | null> {
    this.#runs += 1;
    const run = await this.#runner.record(strategy);
    if (signatureOf(run.outcome.finding) !== this.#signature) return null;
    if (this.#isBetter(run)) this.#best = run;
    return run;
  }

  #isBetter({ recorder: { preemptions, steps, footprints } }: RecordedRun): boolean {
    const best = this.#best.recorder;
    if (steps.length > this.#stepsMax) return false;
    if (preemptions !== best.preemptions) return preemptions < best.preemptions;
    if (steps.length !== best.steps.length) return steps.length < best.steps.length;
    return overridesOf(footprints).length < overridesOf(best.footprints).length;
  }

  /** All schedules with no preemption, then with one, and so on; short ones first, for a while. */
  async #searchFewer(): Promise<void> {
    const most = this.#best.recorder.preemptions;
    for (const bound of Array(most).keys()) {
      for (const stepsMax of SEARCH_STEPS) {
        if (stepsMax <= this.#stepsMax && (await this.#searchWithin(bound, stepsMax))) return;
      }
    }
  }

  async #searchWithin(bound: number, stepsMax: number): Promise<boolean> {
    const strategy = preemptions(bound);
    for (let run = 0; run < SEARCH_RUNS && strategy.beginRun(); run += 1) {
      const { finding, world } = await this.#runner.watched({ strategy, stepsMax });
      if (signatureOf(finding) !== this.#signature) continue;
      return (await this.#try(new FollowIndices(world.scheduler.taken))) !== null;
    }
    return false;
  }

  /** Which of the overrides left matter, found by leaving each one out. */
  async #decisions(): Promise<readonly Decision[]> {
    const { recorder } = this.#best;
    const overrides = overridesOf(recorder.footprints);
    const decisions: Decision[] = [];
    for (const override of overrides) {
      if (decisions.length === DECISIONS_MAX || this.#runs >= RUNS_MAX) break;
      this.#runs += 1;
      const rest = overrides.filter((other) => other !== override);
      const { outcome } = await this.#runner.record(new Overridden(rest));
      if (signatureOf(outcome.finding) !== this.#signature) {
        decisions.push(decisionOf(override, recorder));
      }
    }
    return decisions;
  }
}

/** What an override puts before what: the first two steps whose order can be told. */
function decisionOf({ index, chosen }: Override, { footprints, steps }: Recorder): Decision {
  const told = (at: number): string => `${steps[at]?.actor ?? ""}: ${steps[at]?.what ?? ""}`;
  const { insteadOf } = footprints[index] ?? {};
  if (typeof chosen === "number") {
    const answer = steps[index]?.notes.find((note) => /: (?:yes|outcome \d+)$/.test(note));
    return { first: `${told(index)}; ${answer ?? "bad luck"}`, second: null };
  }
  if (!insteadOf) return { first: told(index), second: null };
  let pending = "";
  for (const [at, footprint] of footprints.entries()) {
    if (at < index || footprint.actor !== insteadOf) continue;
    const behind = footprints.findIndex(
      (first, place) => place >= index && place < at && mustStayBehind(footprint, first),
    );
    if (behind >= 0 && footprints[behind]?.actor !== insteadOf) {
      return { first: told(behind), second: told(at) };
    }
    pending = told(at);
  }
  if (insteadOf instanceof ExploredTask && insteadOf.guard !== null) {
    pending = `${insteadOf.name}: ${insteadOf.access.label}`;
  }
  return { first: told(index), second: pending === "" ? null : pending };
}
