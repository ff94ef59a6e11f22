import { explore, GIVE_UP, type Strategy } from "@blkstack/explorer";
import { type Program, programScenario } from "./program.ts";
import type { NamedProgram } from "./programs.ts";

/** What a program's schedules come to. */
export interface ScheduleCounts {
  readonly states: number;
  readonly interleavings: bigint;
  readonly deadlocking: bigint;
}

interface State {
  readonly next: (State | null)[];
  isBad: boolean;
  counts: { all: bigint; bad: bigint } | null;
}

/** Runs each step of each state once, and remembers where it led. */
class StateGraph implements Strategy {
  readonly name = "state graph";
  readonly isExhaustive = true;
  readonly isRepeating = false;
  readonly decidesEveryStep = true;
  program: Program | null = null;
  start: State | null = null;
  readonly #states = new Map<string, State>();
  /** The steps of the run at hand, and of the one before: a state and which of its steps. */
  readonly #path: { readonly state: State; step: number }[] = [];
  #depth = 0;
  #isFirst = true;

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
      last.step += 1;
      if (last.step < last.state.next.length) break;
      this.#path.pop();
    }
    this.#depth = 0;
    return this.#path.length > 0;
  }

  chooseActor(enabled: readonly object[]): number {
    const repeated = this.#path[this.#depth];
    if (repeated !== undefined) {
      this.#depth += 1;
      return repeated.step;
    }
    const state = this.#arrive(enabled);
    if (state === null) return GIVE_UP;
    this.#path.push({ state, step: 0 });
    this.#depth += 1;
    return 0;
  }

  chooseOutcome(): number {
    throw new Error("programs ask for no outcomes");
  }

  /** Links the last step to the present state; null when the state is known. */
  #arrive(enabled: readonly object[]): State | null {
    const key = this.program?.state() ?? "";
    const last = this.#path.at(-1);
    const known = this.#states.get(key);
    const state = known ?? { next: enabled.map(() => null), isBad: false, counts: null };
    if (known === undefined) {
      this.#states.set(key, state);
      state.isBad = enabled.length === 0 && this.program?.isBad === true;
    }
    if (last === undefined) this.start ??= state;
    else last.state.next[last.step] ??= state;
    return known === undefined ? state : null;
  }
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
