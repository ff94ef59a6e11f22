import type { Stretch } from "./replay-line.ts";

/** What is tried of a stretch that may have become longer or shorter by an edit, likely first. */
const CHANGES = [1, -1, 2] as const;

/**
 * Schedules next to one that does not lead where it did, since somebody takes a step more or less
 * than when it was written down: one stretch changed, then two of them a step longer.
 */
export function* nearLines(stretches: readonly Stretch[]): Iterable<readonly Stretch[]> {
  for (const change of CHANGES) {
    for (const index of stretches.keys()) {
      const changed = changedAt(stretches, index, change);
      if (changed !== null) yield changed;
    }
  }
  for (const index of stretches.keys()) {
    const first = changedAt(stretches, index, 1) ?? [];
    for (let second = index + 1; second < stretches.length; second += 1) {
      const changed = changedAt(first, second, 1);
      if (changed !== null) yield changed;
    }
  }
}

function changedAt(
  stretches: readonly Stretch[],
  index: number,
  change: number,
): readonly Stretch[] | null {
  const stretch = stretches[index];
  if (stretch === undefined || stretch.steps + change < 1) return null;
  return stretches.with(index, { ...stretch, steps: stretch.steps + change });
}
