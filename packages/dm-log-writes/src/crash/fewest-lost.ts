import type { Awaitable } from "@blkstack/task";

/** Small sets are all tried, as long as they are no more than this. */
const SETS_MAX = 256;

/**
 * The fewest of `lost` that still make `fails` true, which all of them do. If one, two, … of them
 * are enough and there are few such sets, no smaller set fails; else none fails that has one less of
 * what is answered.
 *
 * Waits: for `fails`.
 */
export async function fewestLost<T>(
  lost: readonly T[],
  fails: (lost: readonly T[]) => Awaitable<boolean>,
): Promise<readonly T[]> {
  let budget = SETS_MAX;
  for (let size = 0; size < lost.length; size += 1) {
    const sets = countOfSets(lost.length, size);
    if (sets > budget) return without(lost, fails);
    budget -= sets;
    for (const set of setsOf(lost, size)) if (await fails(set)) return set;
  }
  return lost;
}

/** Leaves out larger and then smaller parts as long as that fails: delta debugging. */
async function without<T>(
  lost: readonly T[],
  fails: (lost: readonly T[]) => Awaitable<boolean>,
): Promise<readonly T[]> {
  let left = lost;
  for (let part = Math.ceil(left.length / 2); ;) {
    let hasShrunk = false;
    for (let at = 0; at < left.length;) {
      const fewer = [...left.slice(0, at), ...left.slice(at + part)];
      if (await fails(fewer)) {
        left = fewer;
        hasShrunk = true;
      } else {
        at += part;
      }
    }
    if (part > 1) part = Math.ceil(part / 2);
    else if (!hasShrunk) return left;
  }
}

function countOfSets(count: number, size: number): number {
  let sets = 1;
  for (let taken = 0; taken < size; taken += 1) sets = (sets * (count - taken)) / (taken + 1);
  return sets;
}

function* setsOf<T>(all: readonly T[], size: number, from = 0): Generator<T[], void> {
  if (size === 0) {
    yield [];
    return;
  }
  for (let at = from; at + size <= all.length; at += 1) {
    for (const rest of setsOf(all, size - 1, at + 1)) yield [all[at] as T, ...rest];
  }
}
