import { type Actor, ExploredTask } from "./actor.ts";
import { mustStayBehind } from "./footprint.ts";
import type { RecordedRun } from "./run.ts";
import type { Vocabulary } from "./vocabulary.ts";
import { WaitForGraph } from "./wait-for-graph.ts";

/** Of a longer run every step is taken for one that matters: comparing all with all takes too long. */
const STEPS_MAX = 2_000;

/**
 * Which steps of a failing run matter: those of the actors that the failure names, and, backwards
 * from these, all that they had to come after. True at the index of each step that does.
 */
export function stepsThatMatter(
  { outcome, recorder }: RecordedRun,
  vocabularies: readonly Vocabulary[],
): readonly boolean[] {
  const { footprints } = recorder;
  const ends = lastOnes({ outcome, vocabularies });
  if (ends === null || footprints.length > STEPS_MAX) return footprints.map(() => true);
  const matter = footprints.map(() => false);
  const awaited = new Set<Actor>(ends);
  for (let index = footprints.length - 1; index >= 0; index -= 1) {
    const step = footprints[index];
    if (step === undefined) continue;
    const isAwaited =
      awaited.has(step.actor) ||
      footprints.some(
        (later, at) => at > index && matter[at] === true && mustStayBehind(later, step),
      );
    if (!isAwaited) continue;
    matter[index] = true;
    awaited.add(step.actor);
  }
  return matter;
}

/** In whose last steps the failure is; null: it may be in anything. */
function lastOnes({
  outcome: { stop, world },
  vocabularies,
}: Pick<RecordedRun, "outcome"> & {
  readonly vocabularies: readonly Vocabulary[];
}): Iterable<Actor> | null {
  if (stop.why === "error") return stop.actor === null ? null : [stop.actor];
  if (stop.why !== "quiet" && stop.why !== "finding") return null;
  const graph = new WaitForGraph(world, vocabularies);
  const knot = graph.knot() ?? graph.stuckTasks;
  const tasks = knot.map(({ thing }) => thing).filter((thing) => thing instanceof ExploredTask);
  return tasks.length === 0 ? null : tasks;
}
