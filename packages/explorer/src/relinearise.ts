import { type Access, AccessMode } from "@blkstack/task";
import { ExploredTask, TaskState } from "./actor.ts";
import { type Footprint, mustStayBehind } from "./footprint.ts";

/** Beyond this many states the order is looked for without looking back. */
const STATES_MAX = 40_000;

/**
 * The steps of a run in another order that comes to the same, because only steps that do not depend
 * on each other change places, with the fewest switches away from a task that could go on. Whether
 * one could is guessed where the run does not tell: repeat it to be sure. Beyond `statesMax` the
 * order is one with few switches, not with the fewest.
 */
export function fewestSwitches(
  footprints: readonly Footprint[],
  statesMax: number = STATES_MAX,
): readonly Footprint[] {
  const lanes = new Lanes(footprints);
  return search(lanes, statesMax) ?? goStraight(lanes);
}

/** How far each actor is, who went last, and how that came about. */
interface State {
  readonly taken: readonly number[];
  readonly last: number;
  readonly switches: number;
  readonly before: State | null;
  readonly step: Footprint | null;
}

/** Cheapest first: states with as many switches as the present one, then those with one more. */
function search(lanes: Lanes, statesMax: number): readonly Footprint[] | null {
  const known = new Set<string>();
  let [now, later]: [State[], State[]] = [[lanes.start], []];
  while (now.length > 0 || later.length > 0) {
    if (now.length === 0) [now, later] = [later, []];
    const state = now.pop();
    if (state === undefined) continue;
    const key = `${state.taken.join()}/${String(state.last)}`;
    if (known.has(key)) continue;
    known.add(key);
    if (known.size > statesMax) return null;
    if (lanes.isOver(state)) return wayTo(state);
    for (const next of lanes.nextStates(state)) {
      (next.switches === state.switches ? now : later).push(next);
    }
  }
  return null;
}

/** Always on with who ran last, else with whoever costs nothing. */
function goStraight(lanes: Lanes): readonly Footprint[] {
  let state = lanes.start;
  while (!lanes.isOver(state)) {
    const [first, ...others] = lanes.nextStates(state);
    if (first === undefined) break;
    const { last } = state;
    state = others.reduce(
      (best, next) => (cost(next, last) < cost(best, last) ? next : best),
      first,
    );
  }
  return wayTo(state);
}

function cost({ switches, last }: State, before: number): number {
  return last === before ? -1 : switches;
}

function wayTo(end: State): readonly Footprint[] {
  const way: Footprint[] = [];
  for (let state: State | null = end; state?.step; state = state.before) way.push(state.step);
  return way.reverse();
}

/** The steps of each actor by itself, and what each has to wait for. */
class Lanes {
  readonly start: State;
  readonly #lanes: (readonly Footprint[])[];
  readonly #laneOf = new Map<object, number>();
  /** How far the others must be, at least, before the step. */
  readonly #needs = new Map<Footprint, readonly number[]>();
  readonly #capacities = new Map<object, number>();

  constructor(footprints: readonly Footprint[]) {
    const lanes: Footprint[][] = [];
    for (const footprint of footprints) {
      const lane = this.#laneOf.get(footprint.actor) ?? lanes.push([]) - 1;
      this.#laneOf.set(footprint.actor, lane);
      lanes[lane]?.push(footprint);
    }
    this.#lanes = lanes;
    const nobody = lanes.map(() => 0);
    this.start = { taken: nobody, last: -1, switches: 0, before: null, step: null };
    this.#findNeeds(footprints);
    this.#findCapacities(footprints);
  }

  isOver({ taken }: State): boolean {
    return this.#lanes.every((lane, index) => taken[index] === lane.length);
  }

  nextStates(state: State): State[] {
    const states: State[] = [];
    // Popped from the end: who ran last is tried first.
    for (const [lane, steps] of this.#lanes.entries()) {
      const step = steps[state.taken[lane] ?? 0];
      if (step === undefined || !this.#isReady(step, state)) continue;
      const isSwitch = state.last >= 0 && lane !== state.last && this.#couldGoOn(state);
      states.push({
        taken: state.taken.with(lane, (state.taken[lane] ?? 0) + 1),
        last: lane,
        switches: state.switches + (isSwitch ? 1 : 0),
        before: state,
        step,
      });
    }
    return states.sort((a, b) => Number(a.last === state.last) - Number(b.last === state.last));
  }

  #findNeeds(footprints: readonly Footprint[]): void {
    let fence = this.start.taken;
    const taken = [...fence];
    for (const [index, step] of footprints.entries()) {
      if (step.isAfterTimer) fence = [...taken];
      const needs = [...fence];
      const seen = this.#lanes.map(() => 0);
      for (const earlier of footprints.slice(0, index)) {
        const lane = this.#laneOf.get(earlier.actor) ?? 0;
        const count = (seen[lane] ?? 0) + 1;
        seen[lane] = count;
        if (mustStayBehind(step, earlier)) needs[lane] = Math.max(needs[lane] ?? 0, count);
      }
      this.#needs.set(step, needs);
      const own = this.#laneOf.get(step.actor) ?? 0;
      taken[own] = (taken[own] ?? 0) + 1;
    }
  }

  /** How many can have of a thing at once: as many as ever had. */
  #findCapacities(footprints: readonly Footprint[]): void {
    const held = new Map<object, number>();
    for (const { uses } of footprints) {
      for (const { object, mode } of uses) {
        const count = (held.get(object) ?? 0) + change(mode);
        held.set(object, count);
        this.#capacities.set(object, Math.max(this.#capacities.get(object) ?? 1, count));
      }
    }
  }

  #isReady(step: Footprint, { taken }: State): boolean {
    const needs = this.#needs.get(step) ?? [];
    return needs.every((count, lane) => (taken[lane] ?? 0) >= count);
  }

  /** Whether the one that ran last could take another step. */
  #couldGoOn(state: State): boolean {
    const lane = this.#lanes[state.last] ?? [];
    const taken = state.taken[state.last] ?? 0;
    const actor = lane[0]?.actor;
    if (!(actor instanceof ExploredTask)) return false;
    const next = lane[taken];
    if (lane[taken - 1]?.isLeftAsleep === true)
      return next !== undefined && this.#isWoken(actor, state);
    if (next !== undefined) {
      return next.announced === null || !next.isGuarded || this.#isFree(next.announced, state);
    }
    if (actor.state !== TaskState.Ready) return false;
    return actor.guard === null || this.#isFree(actor.access, state);
  }

  /** Woken at all is enough: it was asleep, and there is a next step. */
  #isWoken(task: ExploredTask, state: State): boolean {
    const next = this.#lanes[state.last]?.[state.taken[state.last] ?? 0];
    const needs = next === undefined ? [] : (this.#needs.get(next) ?? []);
    return this.#lanes.some((lane, index) => {
      const waker = lane[(needs[index] ?? 0) - 1];
      return (
        waker?.setsOff.includes(task) === true && (state.taken[index] ?? 0) >= (needs[index] ?? 0)
      );
    });
  }

  #isFree({ object, mode }: Access, { taken }: State): boolean {
    if (mode !== AccessMode.Acquire) return true;
    let held = 0;
    for (const [index, lane] of this.#lanes.entries()) {
      for (const { uses } of lane.slice(0, taken[index])) {
        for (const use of uses) if (use.object === object) held += change(use.mode);
      }
    }
    return held < (this.#capacities.get(object) ?? 1);
  }
}

function change(mode: AccessMode): number {
  if (mode === AccessMode.Acquire) return 1;
  return mode === AccessMode.Release ? -1 : 0;
}
