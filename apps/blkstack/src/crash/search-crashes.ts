import {
  type CrashPoint,
  type CrashState,
  crashStates,
  type CrashStateOptions,
  fewestLost,
  isStateOf,
  type LooseWrite,
} from "@blkstack/dm-log-writes";
import type { Checked, CheckBench } from "./check-bench.ts";

/** A state whose check did not end well. */
export interface Failure {
  /** Which of the points. */
  readonly index: number;
  readonly state: CrashState;
  readonly checked: Checked;
}

/** How many states of a point were checked. */
interface PointTally {
  readonly point: CrashPoint;
  readonly states: number;
}

export interface SearchResult {
  /** Of the points that were wanted, those with states of their own. */
  readonly tallies: readonly PointTally[];
  readonly states: number;
  /** The first in the order of the log; null: there is none. */
  readonly failure: Failure | null;
  /** Where the disk is at the point of the failure. */
  readonly bench: CheckBench | null;
}

export interface SearchOptions {
  readonly points: readonly CrashPoint[];
  /** Whether a point is to be tried. */
  readonly isWanted: (index: number) => boolean;
  readonly states: CrashStateOptions;
  readonly benches: readonly CheckBench[];
  readonly signal: AbortSignal;
  readonly onProgress: (point: number, states: number) => void;
}

/** Checks states in the order of the log, side by side, until one fails. */
export async function searchCrashes(options: SearchOptions): Promise<SearchResult> {
  return new CrashSearch(options).run();
}

class CrashSearch {
  readonly #options: SearchOptions;
  readonly #queue: Generator<NumberedState, void>;
  /** By the index of a point. */
  readonly #tallies = new Map<number, number>();
  #states = 0;
  #first: { number: number; failure: Failure; bench: CheckBench } | null = null;

  constructor(options: SearchOptions) {
    this.#options = options;
    this.#queue = statesInOrder(options);
  }

  async run(): Promise<SearchResult> {
    const { points, benches } = this.#options;
    // A bench is in use until its check has ended, also when that of another one cannot be run.
    for (const ended of await Promise.allSettled(benches.map((bench) => this.#work(bench)))) {
      if (ended.status === "rejected") throw ended.reason;
    }
    const ordered = [...this.#tallies].sort(([one], [other]) => one - other);
    return {
      tallies: ordered.flatMap(([index, states]) => {
        const point = points[index];
        return point === undefined ? [] : [{ point, states }];
      }),
      states: this.#states,
      failure: this.#first?.failure ?? null,
      bench: this.#first?.bench ?? null,
    };
  }

  async #work(bench: CheckBench): Promise<void> {
    const { points, onProgress } = this.#options;
    while (this.#first === null && !this.#isStopped()) {
      const next = this.#queue.next();
      if (next.done === true) return;
      const { number, index, state } = next.value;
      const checked = await bench.check(points, index, state);
      if (this.#isStopped()) return;
      this.#states += 1;
      this.#tallies.set(index, (this.#tallies.get(index) ?? 0) + 1);
      onProgress(index, this.#states);
      if (checked.isWell || this.#isKnownEarlier(number)) continue;
      this.#first = { number, failure: { index, state, checked }, bench };
    }
  }

  #isStopped(): boolean {
    return this.#options.signal.aborted;
  }

  /** Whether another bench has found a failure of an earlier state meanwhile. */
  #isKnownEarlier(number: number): boolean {
    return this.#first !== null && this.#first.number < number;
  }
}

/** The same failure with as few writes lost as will do. */
export async function minimiseFailure(
  { index, state, checked }: Failure,
  points: readonly CrashPoint[],
  bench: CheckBench,
): Promise<Failure & { readonly checks: number }> {
  const { point } = state;
  let checks = 0;
  const outcomes = new Map<readonly LooseWrite[], Checked>();
  const lost = await fewestLost(state.lost, async (fewer) => {
    if (!isStateOf(point, fewer)) return false;
    checks += 1;
    const outcome = await bench.check(points, index, { point, lost: fewer });
    outcomes.set(fewer, outcome);
    return !outcome.isWell;
  });
  const told = outcomes.get(lost) ?? checked;
  return { index, state: { point, lost }, checked: told, checks };
}

interface NumberedState {
  readonly number: number;
  readonly index: number;
  readonly state: CrashState;
}

function* statesInOrder({
  points,
  isWanted,
  states,
}: SearchOptions): Generator<NumberedState, void> {
  let number = 0;
  for (const [index, point] of points.entries()) {
    if (!isWanted(index)) continue;
    for (const state of crashStates(point, states)) {
      yield { number, index, state };
      number += 1;
    }
  }
}

/** Which of `count` points are tried when only `wanted` are: spread over the log, the last one too. */
export function spread(count: number, wanted: number | "all"): (index: number) => boolean {
  if (wanted === "all" || wanted >= count) return () => true;
  const chosen = new Set(
    Array.from({ length: wanted }, (_, at) => Math.round(((at + 1) * count) / wanted) - 1),
  );
  return (index) => chosen.has(index);
}
