import { invariant } from "@blkstack/bio";
import { type SleepHook, type Task, WakeReason } from "@blkstack/task";
import { type Actor, ExploredTask } from "./actor.ts";

/** What the next step of a task is called that no longer sleeps. */
export function wakeLabel(sleeper: ExploredTask, reason: WakeReason): string {
  const what = sleeper.waitingFor?.label ?? "nothing";
  return reason === WakeReason.Woken ? `woken from ${what}` : `tires of waiting for ${what}`;
}

/** Throws for a task of another scheduler. */
export function explored(task: Task): ExploredTask {
  invariant(task instanceof ExploredTask, `${task.name} belongs to another scheduler`);
  return task;
}

/** Throws unless it is `task` that runs and has announced nothing else. */
export function assertMayAnnounce(
  task: ExploredTask,
  what: string,
  { isBuilding, runs }: { readonly isBuilding: boolean; readonly runs: Actor | null },
): void {
  if (isBuilding) {
    throw new Error(`${task.name} would wait for ${what} while the scenario is built`);
  }
  if (task !== runs) {
    const who = runs?.name ?? "nobody";
    throw new Error(`${who} runs, but a step of ${task.name} was announced: ${what}`);
  }
  if (task.resume !== null) {
    throw new Error(`${task.name} announced ${what} beside another step of its own`);
  }
}

/** A hook that slept would sleep for ever: its task is on its way to sleep. */
export function runSleepHook(task: Task, hook: SleepHook): void {
  task.atomicDepth += 1;
  try {
    hook(task);
  } finally {
    task.atomicDepth -= 1;
  }
}
