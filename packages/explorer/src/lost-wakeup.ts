import { type Access, AccessMode, type Waitable } from "@blkstack/task";
import type { Actor, ExploredTask } from "./actor.ts";
import type { RunWatcher } from "./run-watcher.ts";
import type { Stop } from "./run-options.ts";
import { isStuck, WaitForGraph } from "./wait-for-graph.ts";
import type { RunWorld } from "./world.ts";

interface Use {
  readonly actor: Actor;
  readonly access: Access;
  readonly step: number;
}

/**
 * Tells a lost wake-up from other stalls: a task looked at something, somebody changed it, and only
 * then did the task go to sleep, so that whoever was to wake it found nobody asleep.
 */
export class LostWakeupWatch implements RunWatcher {
  readonly #world: RunWorld;
  /** In turn who, with what, and at which step: one array, for it is written in every step. */
  readonly #log: (Actor | Access | number)[] = [];

  constructor(world: RunWorld) {
    this.#world = world;
  }

  used(actor: Actor, access: Access): void {
    this.#log.push(actor, access, this.#world.scheduler.steps);
  }

  runOver(stop: Stop): void {
    if (stop.why !== "quiet") return;
    const { scheduler, vocabularies } = this.#world;
    const stuck = scheduler.tasks.filter((task) => isStuck(task) && task.waitingFor !== null);
    if (stuck.length === 0) return;
    if (new WaitForGraph(this.#world, vocabularies).knot() !== null) return;
    const uses = this.#uses();
    for (const task of stuck) {
      const message = lostBy(task, uses);
      if (message === null) continue;
      scheduler.found({ kind: "LOST_WAKEUP", message });
      return;
    }
  }

  #uses(): readonly Use[] {
    const uses: Use[] = [];
    for (let at = 0; at < this.#log.length; at += 3) {
      const [actor, access, step] = this.#log.slice(at, at + 3) as [Actor, Access, number];
      uses.push({ actor, access, step });
    }
    return uses;
  }
}

/** The look, the change and the sleep in words; null when nothing was changed in between. */
function lostBy(task: ExploredTask, uses: readonly Use[]): string | null {
  const { waitingFor, waitsSinceStep } = task;
  const before = uses.filter(({ step }) => step <= waitsSinceStep);
  // Being woken is a use of oneself: what was seen before that was seen before an earlier sleep.
  const awakeSince = before.findLastIndex(({ access }) => access.object === task);
  for (const [at, look] of [...before.entries()].reverse()) {
    if (at <= awakeSince) return null;
    if (look.actor !== task || !isLook(look.access)) continue;
    const change = before.find((use, index) => index > at && changes(use, look));
    if (change === undefined) continue;
    return (
      `${task.name} looked (${look.access.label}, step ${String(look.step)}) and slept on ` +
      `${waitingFor?.label ?? "nothing"} (step ${String(waitsSinceStep)}); in between ` +
      `${change.actor.name} changed it (${change.access.label}, step ${String(change.step)}) ` +
      "and found nobody asleep"
    );
  }
  return null;
}

/** Locking something for reading is not a look at what the sleep is about. */
function isLook({ mode, object }: Access): boolean {
  return mode === AccessMode.Read && (object as Partial<Waitable>).endsBy === undefined;
}

function changes({ actor, access }: Use, look: Use): boolean {
  if (actor === look.actor || access.object !== look.access.object) return false;
  return access.mode === AccessMode.Write || access.mode === AccessMode.Release;
}
