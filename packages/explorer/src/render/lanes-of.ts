import type { RecordedStep } from "../recorder.ts";

/** Whose lane a step is drawn in: a task's own, and one for all interrupts of a device. */
export function laneOf({ actor }: Pick<RecordedStep, "actor">): string {
  return actor.replace(/^irq#\d+ /, "");
}

/** The lanes of a run, in the order in which they are first used. */
export function lanesOf(steps: readonly RecordedStep[]): readonly string[] {
  return [...new Set(steps.map(laneOf))];
}

/** The bios that a step moved or ended: `bio#2`. */
function biosOf({ what, moved = [] }: RecordedStep): ReadonlySet<string> {
  return new Set([what, ...moved].flatMap((text) => /bio#\d+/.exec(text) ?? []));
}

/** At which steps, from 0, each bio was moved or ended, in the order in which they appear. */
export function journeysOf(steps: readonly RecordedStep[]): ReadonlyMap<string, readonly number[]> {
  const journeys = new Map<string, number[]>();
  for (const [index, step] of steps.entries()) {
    for (const bio of biosOf(step)) {
      const journey = journeys.get(bio) ?? [];
      journey.push(index);
      journeys.set(bio, journey);
    }
  }
  return journeys;
}
