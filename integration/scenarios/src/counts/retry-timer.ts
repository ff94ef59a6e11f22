import { BLOCKED, type WalkedGraph } from "./walked-graph.ts";

/** What a timer that lets whoever waits for memory ask again hides, and what it cannot. */
export interface RetryCounts {
  /** States in which somebody has not ended and nobody can do anything, without the timer. */
  readonly deadlocked: number;
  /** The same with the timer: in the others somebody at least asks again, in vain. */
  readonly deadlockedWithTimer: number;
  /** States from which no way leads to the end of all tasks, with the timer or without. */
  readonly hopeless: number;
  /** Firings of the timer that change nothing. */
  readonly firingsInVain: number;
}

/** `isRetrying` says which tasks are woken by the timer wherever they wait for memory. */
export function countRetries(
  graph: WalkedGraph,
  isRetrying: (taskName: string) => boolean,
): RetryCounts {
  const { next, stateCount, taskCount, tables } = graph;
  const isRetrier = tables.tasks.map(({ name }) => isRetrying(name));
  let [deadlocked, deadlockedWithTimer, firingsInVain] = [0, 0, 0];
  const cameFrom = Array.from({ length: stateCount }, (): number[] => []);
  const hopeful: number[] = [];
  for (let state = 0; state < stateCount; state += 1) {
    let [steps, firings] = [0, 0];
    for (let task = 0; task < taskCount; task += 1) {
      const to = next[state * taskCount + task] ?? BLOCKED;
      if (to >= 0) {
        steps += 1;
        cameFrom[to]?.push(state);
      } else if (to === BLOCKED && isRetrier[task] === true) firings += 1;
    }
    firingsInVain += firings;
    if (steps > 0) continue;
    if (!graph.isBad(state)) hopeful.push(state);
    else {
      deadlocked += 1;
      if (firings === 0) deadlockedWithTimer += 1;
    }
  }
  const hopeless = stateCount - reachable(cameFrom, hopeful);
  return { deadlocked, deadlockedWithTimer, hopeless, firingsInVain };
}

/** How many are reached from `seeds`, these among them. */
function reachable(to: readonly (readonly number[])[], seeds: readonly number[]): number {
  const seen = new Set(seeds);
  // A set hands out also what is added while it is walked.
  for (const at of seen) for (const next of to[at] ?? []) seen.add(next);
  return seen.size;
}
