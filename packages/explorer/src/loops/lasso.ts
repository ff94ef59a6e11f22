import { type Actor, ExploredTask } from "../actor.ts";

/** Somebody's step, and what the run had come to when it was taken. */
export interface LoopStep {
  readonly key: string;
  readonly actor: Actor;
  /** All who could have taken it. */
  readonly enabled: readonly Actor[];
}

/** Steps that lead back to where they began. */
export interface Lasso {
  /** Counted from 1. */
  readonly firstStep: number;
  readonly lastStep: number;
  /** Who takes them, in turn. */
  readonly actors: readonly ExploredTask[];
}

/**
 * The last steps that lead to `key` and began there, in which everybody who could always have taken
 * a step has taken one: a scheduler that neglects nobody may go on so for ever. Null: there are none.
 */
export function fairLasso(steps: readonly LoopStep[], key: string, count: number): Lasso | null {
  const acting = new Set<Actor>();
  let neglected = new Set<Actor>(steps.at(-1)?.enabled);
  for (const [at, step] of [...steps.entries()].reverse()) {
    acting.add(step.actor);
    const before = neglected;
    neglected = new Set(step.enabled.filter((actor) => before.has(actor)));
    if (step.key !== key || [...neglected].some((actor) => !acting.has(actor))) continue;
    const actors = steps.slice(at).map(({ actor }) => actor);
    if (!actors.every((actor) => actor instanceof ExploredTask)) return null;
    return { firstStep: count - actors.length + 1, lastStep: count, actors };
  }
  return null;
}

/** `a and b come back to where they were: steps 12-17 again and again`. */
export function lassoText({ firstStep, lastStep, actors }: Lasso): string {
  const names = [...new Set(actors.map(({ name }) => name))];
  const who = names.join(", ");
  const steps =
    firstStep === lastStep
      ? `step ${String(lastStep)}`
      : `steps ${String(firstStep)}-${String(lastStep)}`;
  const verb = names.length === 1 ? "gets" : "get";
  return `${who} ${verb} nowhere: ${steps} again and again`;
}
