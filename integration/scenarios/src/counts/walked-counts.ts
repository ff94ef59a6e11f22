import { type Access, AccessMode } from "@blkstack/task";
import { BLOCKED, type WalkedGraph } from "./walked-graph.ts";

/** What the ways through a program's states come to. */
export interface WayCounts {
  readonly interleavings: bigint;
  readonly deadlocking: bigint;
  readonly terminalStates: number;
  readonly deadStates: number;
}

/** Counts ways from the start to states in which nobody can go on. */
export function countWays(graph: WalkedGraph): WayCounts {
  const { next, taskCount } = graph;
  const all: (bigint | undefined)[] = new Array<undefined>(graph.stateCount);
  const bad: bigint[] = new Array<bigint>(graph.stateCount);
  let [terminalStates, deadStates] = [0, 0];
  const visit = (state: number): void => {
    let [ways, badWays, isEnd] = [0n, 0n, true];
    for (let task = 0; task < taskCount; task += 1) {
      const to = next[state * taskCount + task] ?? BLOCKED;
      if (to < 0) continue;
      isEnd = false;
      if (all[to] === undefined) visit(to);
      ways += all[to] ?? 0n;
      badWays += bad[to] ?? 0n;
    }
    if (isEnd) {
      terminalStates += 1;
      const isBad = graph.isBad(state);
      if (isBad) deadStates += 1;
      [ways, badWays] = [1n, isBad ? 1n : 0n];
    }
    all[state] = ways;
    bad[state] = badWays;
  };
  visit(0);
  const [interleavings, deadlocking] = [all[0] ?? 0n, bad[0] ?? 0n];
  return { interleavings, deadlocking, terminalStates, deadStates };
}

export interface TraceCounts {
  readonly traces: number;
  readonly deadTraces: number;
}

/**
 * Counts classes of interleavings that differ only in the order of steps that do not touch each
 * other. Of each class one way is counted: the one that never takes a step which an alternative
 * tried before it could have taken as well (sleep sets). What can still be counted from a state
 * depends on who sleeps there, and on nothing else.
 */
export function countTraces(graph: WalkedGraph): TraceCounts {
  const { next, taskCount } = graph;
  const independent = independence(graph);
  const masks = 2 ** taskCount;
  const known = new Map<number, number>();
  const counts: { all: number; bad: number }[] = [];
  const visit = (state: number, asleep: number): { all: number; bad: number } => {
    const key = state * masks + asleep;
    const before = known.get(key);
    if (before !== undefined) return counts[before] ?? { all: 0, bad: 0 };
    let [all, bad, isEnd, tried] = [0, 0, true, asleep];
    for (let task = 0; task < taskCount; task += 1) {
      const to = next[state * taskCount + task] ?? BLOCKED;
      if (to < 0) continue;
      isEnd = false;
      if (((asleep >>> task) & 1) === 1) continue;
      const below = visit(to, tried & independent(state, task, tried));
      all += below.all;
      bad += below.bad;
      tried |= 1 << task;
    }
    const count = isEnd ? { all: 1, bad: graph.isBad(state) ? 1 : 0 } : { all, bad };
    known.set(key, counts.length);
    counts.push(count);
    return count;
  };
  const { all, bad } = visit(0, 0);
  if (!Number.isSafeInteger(all)) throw new RangeError("more traces than a number can hold");
  return { traces: all, deadTraces: bad };
}

/** Tells which tasks' next steps in a state do not touch what the next step of one task does. */
function independence(graph: WalkedGraph): (state: number, task: number, among: number) => number {
  const { tables, taskCount } = graph;
  const numbers: number[][] = [];
  const uses: (readonly Access[])[] = [];
  for (const { positions } of tables.tasks) {
    const first = uses.length;
    numbers.push(positions.map((_position, index) => first + index));
    for (const position of positions) uses.push(position.uses ?? []);
  }
  const commutes = uses.map((one) => uses.map((other) => (isConflict(one, other) ? 0 : 1)));
  return (state, task, among) => {
    const row = commutes[numbers[task]?.[graph.positionOf(state, task)] ?? 0];
    let mask = 0;
    for (let other = 0; other < taskCount; other += 1) {
      if (((among >>> other) & 1) === 0) continue;
      const position = numbers[other]?.[graph.positionOf(state, other)] ?? 0;
      if (row?.[position] === 1) mask |= 1 << other;
    }
    return mask;
  };
}

/** Uses of one object may change places when both only read, or both only give back. */
function isConflict(some: readonly Access[], others: readonly Access[]): boolean {
  return some.some(({ object, mode }) =>
    others.some(
      (other) =>
        other.object.label === object.label &&
        (other.mode !== mode || (mode !== AccessMode.Read && mode !== AccessMode.Release)),
    ),
  );
}
