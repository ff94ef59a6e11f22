import type { ExploredTask } from "./actor.ts";
import { FollowIndices } from "./follow.ts";
import type { RecordedRun, Runner } from "./run.ts";
import type { RunWatcher } from "./run-watcher.ts";
import { framesOf, withLongStacks } from "./stack-frames.ts";
import { isStuck } from "./wait-for-graph.ts";

/** Where in the code each task waits, by its name: the innermost call first. */
export type WaitSites = Readonly<Record<string, readonly string[]>>;

/**
 * Where the tasks wait that a run leaves behind. Found by repeating the run once more, for stacks
 * cost too much to be taken in a search. Empty when the run cannot be repeated.
 */
export async function waitSitesOf(
  runner: Runner,
  { outcome, input }: RecordedRun,
): Promise<WaitSites> {
  const { tasks, taken } = outcome.world.scheduler;
  const stuck = tasks.filter(isStuck);
  if (stuck.length === 0) return {};
  const stacks = new Stacks();
  const strategy = new FollowIndices(taken);
  const again = await withLongStacks(() => runner.watched({ strategy, input, watcher: stacks }));
  if (again.finding?.message !== outcome.finding?.message) return {};
  const sites = stuck.map(({ name }) => [name, framesOf(stacks.of(name))] as const);
  return Object.fromEntries(sites.filter(([, frames]) => frames.length > 0));
}

/** Keeps the stack of each task's latest wait. It is put into words only when it is asked for. */
class Stacks implements RunWatcher {
  readonly #latest = new Map<string, Error>();

  slept({ name }: ExploredTask): void {
    this.#latest.set(name, new Error(name));
  }

  blocked({ name }: ExploredTask): void {
    this.#latest.set(name, new Error(name));
  }

  of(name: string): string {
    return this.#latest.get(name)?.stack ?? "";
  }
}
