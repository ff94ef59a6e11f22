import { explore, GIVE_UP, type StepLog, type Strategy } from "@blkstack/explorer";
import { type Access, AccessMode } from "@blkstack/task";
import { type Program, programScenario } from "./program.ts";
import type { NamedProgram } from "./programs.ts";

/** What a program's schedules come to. */
export interface ScheduleCounts {
  readonly states: number;
  readonly interleavings: bigint;
  readonly deadlocking: bigint;
}

type Actors = Parameters<Strategy["chooseActor"]>[0];

interface State {
  readonly actors: readonly string[];
  /** Where the step of each actor leads, and what it uses; null: not known yet. */
  readonly next: (State | null)[];
  readonly uses: (readonly Access[])[];
  isBad: boolean;
  counts: { all: bigint; bad: bigint } | null;
}

/**
 * Runs steps of each state, and remembers where they led. What two steps that do not touch each
 * other lead to one after the other is known without running the second order.
 */
class StateGraph implements Strategy, StepLog {
  readonly name = "state graph";
  readonly isExhaustive = true;
  readonly isRepeating = false;
  readonly decidesEveryStep = true;
  readonly log: StepLog = this;
  program: Program | null = null;
  start: State | null = null;
  readonly #states = new Map<string, State>();
  /** The steps of the run at hand, and of the one before: a state and which of its steps. */
  readonly #path: { readonly state: State; step: number }[] = [];
  #depth = 0;
  #isFirst = true;
  /** What the last step of the path uses. */
  #uses: Access[] = [];

  get stateCount(): number {
    return this.#states.size;
  }

  beginRun(): boolean {
    if (this.#isFirst) {
      this.#isFirst = false;
      return true;
    }
    this.#arrive([]);
    for (let last = this.#path.at(-1); last !== undefined; last = this.#path.at(-1)) {
      last.step = last.state.next.indexOf(null);
      if (last.step >= 0) break;
      this.#path.pop();
    }
    this.#depth = 0;
    return this.#path.length > 0;
  }

  chooseActor(enabled: Actors): number {
    let taken = this.#path[this.#depth];
    if (taken === undefined) {
      const state = this.#arrive(enabled);
      if (state === null) return GIVE_UP;
      taken = { state, step: state.next.indexOf(null) };
      this.#path.push(taken);
    }
    this.#depth += 1;
    const actor = enabled[taken.step];
    this.#uses = actor !== undefined && "access" in actor ? [actor.access] : [];
    return taken.step;
  }

  chooseOutcome(): number {
    throw new Error("programs ask for no outcomes");
  }

  used(access: Access): void {
    this.#uses.push(access);
  }

  cellMade(): void {
    // Its value is in the program's state.
  }

  timerArmed(): void {
    throw new Error("programs arm no timers");
  }

  made(): void {
    // Programs spawn nobody while they run.
  }

  woke(): void {
    throw new Error("programs do not sleep");
  }

  timeMoves(): void {
    // There are no timers.
  }

  runOver(): void {
    // Asked at the beginning of the next run.
  }

  /** Links the last step to the present state; null when the state is known. */
  #arrive(enabled: Actors): State | null {
    const key = this.program?.state() ?? "";
    const last = this.#path.at(-1);
    const known = this.#states.get(key);
    const state = known ?? newState(enabled);
    if (last === undefined) this.start ??= state;
    else {
      last.state.next[last.step] ??= state;
      last.state.uses[last.step] = this.#uses;
    }
    if (known !== undefined) return null;
    this.#states.set(key, state);
    state.isBad = enabled.length === 0 && this.program?.isBad === true;
    if (last !== undefined) inferSteps(state, last.state, last.step);
    return state.next.includes(null) ? state : null;
  }
}

function newState(enabled: Actors): State {
  return {
    actors: enabled.map(({ name }) => name),
    next: enabled.map(() => null),
    uses: enabled.map(() => []),
    isBad: false,
    counts: null,
  };
}

/** What is known of `state`, to which a step of `before` led, from the steps tried before. */
function inferSteps(state: State, before: State, step: number): void {
  const [mover = "", used = []] = [before.actors[step], before.uses[step]];
  for (const [other, actor] of before.actors.entries()) {
    const [first, uses = []] = [before.next[other], before.uses[other]];
    const at = state.actors.indexOf(actor);
    if (other === step || at < 0 || !first || isConflict(used, uses)) continue;
    state.next[at] = first.next[first.actors.indexOf(mover)] ?? null;
    state.uses[at] = uses;
  }
}

function isConflict(some: readonly Access[], others: readonly Access[]): boolean {
  return some.some(({ object, mode }) =>
    others.some(
      (other) =>
        other.object.label === object.label &&
        (other.mode !== mode || (mode !== AccessMode.Read && mode !== AccessMode.Release)),
    ),
  );
}

/** Counts paths through the graph of states. */
export async function countSchedules({ build }: NamedProgram): Promise<ScheduleCounts> {
  const graph = new StateGraph();
  const scenario = programScenario(build, (program) => {
    graph.program = program;
  });
  await explore(scenario, "program", { strategy: graph, after: "all" });
  const { all, bad } = countPaths(graph.start);
  return { states: graph.stateCount, interleavings: all, deadlocking: bad };
}

function countPaths(state: State | null): { all: bigint; bad: bigint } {
  if (state === null) throw new Error("a step that was never taken");
  if (state.counts !== null) return state.counts;
  if (state.next.length === 0) {
    state.counts = { all: 1n, bad: state.isBad ? 1n : 0n };
    return state.counts;
  }
  let [all, bad] = [0n, 0n];
  for (const next of state.next) {
    const counts = countPaths(next);
    all += counts.all;
    bad += counts.bad;
  }
  state.counts = { all, bad };
  return state.counts;
}
