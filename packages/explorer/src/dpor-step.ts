import { type Actor, ExploredTask, type Guard } from "./actor.ts";
import { PendingTimer } from "./timer-choices.ts";
import { Cell } from "./cell.ts";
import type { Uses } from "./dependency.ts";

/** Says which actor, with the same number in every run that begins alike. */
export function keyOf(actor: Actor): number {
  return actor instanceof ExploredTask ? actor.id * 2 : actor.id * 2 + 1;
}

/** How a step may be asked whether it could be taken elsewhere. */
export const Readiness = {
  /** It needs nothing. */
  Always: 0,
  /** Its guard reads cells only, so that it can be asked of any state. */
  Asks: 1,
  /** It waits for what cannot be computed again: assumed where it cannot be ruled out. */
  Unknown: 2,
} as const;
export type Readiness = (typeof Readiness)[keyof typeof Readiness];

/** A step taken or, at the end of a run, one that could not be. */
export interface Wish {
  readonly key: number;
  readonly uses: Uses;
  readonly guard: Guard | null;
  readonly readiness: Readiness;
  /** The step before it of the same actor, or the one that made the actor; -1: none. */
  readonly after: number;
  /** The step that woke the task; -1: it was not asleep. */
  readonly wokenBy: number;
}

export interface AsleepActor {
  readonly key: number;
  /** All that its next step uses, whatever outcomes it asks for. */
  readonly uses: Uses;
}

/** One step of the schedule at hand, and which others are to be tried in its place. */
export class DporStep {
  readonly enabled: readonly number[];
  /** The values of all cells before the step. */
  readonly values: readonly number[];
  /** Actors whose step from here is covered by runs before, or by such of another branch. */
  readonly asleep: AsleepActor[];
  readonly backtrack: number[] = [];
  key = -1;
  uses: number[] = [];
  /** What the step used under any of its outcomes. */
  allUses: number[] = [];
  outcomes: { what: string; taken: number; readonly count: number }[] = [];
  guard: Guard | null = null;
  readiness: Readiness = Readiness.Always;
  after = -1;
  wokenBy = -1;
  /** Whom the step spawned or raised, and whom it woke. */
  made: number[] = [];
  woke: number[] = [];
  /** Whether time had moved before: nothing changes places across that. */
  isAfterTimer = false;
  /** The steps that happen before this one, as bits. */
  before: number[] = [];

  constructor(enabled: readonly number[], values: readonly number[], asleep: AsleepActor[]) {
    this.enabled = enabled;
    this.values = values;
    this.asleep = asleep;
  }

  /** Begins the step of `actor`, of which nothing is known but what it announces. */
  begin(key: number, actor: Actor): void {
    this.key = key;
    this.uses = [];
    this.made = [];
    this.woke = [];
    this.guard = actor instanceof ExploredTask ? actor.guard : null;
    this.readiness = readinessOf(actor);
  }

  isAsleep(key: number): boolean {
    for (const sleeper of this.asleep) if (sleeper.key === key) return true;
    return false;
  }

  /** Takes the next outcome of the last that has one left; false when all were taken. */
  nextOutcome(): boolean {
    for (;;) {
      const last = this.outcomes.at(-1);
      if (last === undefined) return false;
      last.taken += 1;
      if (last.taken < last.count) return true;
      this.outcomes.pop();
    }
  }

  /** The next actor to be tried here, after the present one was; undefined: none. */
  nextActor(): number | undefined {
    this.asleep.push({ key: this.key, uses: this.allUses });
    this.allUses = [];
    return this.backtrack.find((key) => !this.isAsleep(key));
  }
}

export function readinessOf(actor: Actor): Readiness {
  // Only the earliest timer can fire.
  if (actor instanceof PendingTimer) return Readiness.Unknown;
  if (!(actor instanceof ExploredTask) || actor.guard === null) return Readiness.Always;
  return actor.access.object instanceof Cell ? Readiness.Asks : Readiness.Unknown;
}
