import type { Access, Waitable, WakeReason } from "@blkstack/task";
import type { Actor, ExploredTask } from "./actor.ts";
import type { Stop } from "./run-options.ts";
import type { ArmedTimer } from "./virtual-time.ts";

/**
 * Told what happens in one run while it happens; made afresh for each run by `Check.watch`. It
 * changes nothing, but may end the run at once: `world.scheduler.found(finding)`.
 *
 * What a watcher does not implement costs nothing to speak of; a run without watchers pays one null
 * check for each event.
 */
export interface RunWatcher {
  /** `actor` takes its next step: what it announced, `actor.access`, or an interrupt's handler. */
  stepBegins?(actor: Actor): void;
  /** The present step uses an object: what it announced first, then what it touches. */
  used?(actor: Actor, access: Access): void;
  /** The task goes to sleep. It has not suspended yet: look around in `settled`. */
  slept?(task: ExploredTask, on: Waitable): void;
  /** The task announces a step that cannot be taken before a condition holds. */
  blocked?(task: ExploredTask): void;
  /** `by` is null while the scenario is built, and the one who ran last when a timer fires. */
  woken?(sleeper: ExploredTask, by: Actor | null, reason: WakeReason): void;
  /** A task was spawned or an interrupt raised. */
  created?(actor: Actor, by: Actor | null): void;
  timerArmed?(timer: ArmedTimer): void;
  timerFired?(timer: ArmedTimer): void;
  /** Everybody stands still between two steps, and the next one has not been chosen. */
  settled?(): void;
  runOver?(stop: Stop): void;
}
