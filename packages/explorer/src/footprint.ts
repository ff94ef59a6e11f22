import { type Access, AccessMode } from "@blkstack/task";
import { type Actor, ExploredTask } from "./actor.ts";

/** What one step used and set off: enough to tell which steps may change places. */
export class Footprint {
  readonly actor: Actor;
  /** What was announced before the step; null: an interrupt. */
  readonly announced: Access | null;
  /** Whether the step had to wait for a condition, not only for its turn. */
  readonly isGuarded: boolean;
  readonly uses: Access[] = [];
  /** The tasks woken, the tasks spawned, the interrupts raised. */
  readonly setsOff: Actor[] = [];
  /** The answers of `choose`, in the order asked. */
  readonly outcomes: number[] = [];
  /** What a story tells of each of them. */
  readonly answers: string[] = [];
  isLeftAsleep = false;
  /** Time went on before this step: nothing changes places across it. */
  readonly isAfterTimer: boolean;
  /** Whose turn it would have been if nobody had chosen; null: this actor's own. */
  readonly insteadOf: Actor | null;

  constructor(actor: Actor, insteadOf: Actor | null, isAfterTimer: boolean) {
    this.actor = actor;
    this.insteadOf = insteadOf;
    this.isAfterTimer = isAfterTimer;
    const isTask = actor instanceof ExploredTask;
    this.announced = isTask ? actor.access : null;
    this.isGuarded = isTask && actor.guard !== null;
    if (this.announced !== null) this.uses.push(this.announced);
  }
}

/** Whether the later of two steps of one run must stay behind the earlier. */
export function mustStayBehind(later: Footprint, earlier: Footprint): boolean {
  if (later.actor === earlier.actor || earlier.setsOff.includes(later.actor)) return true;
  if (later.setsOff.includes(earlier.actor)) return true;
  return later.uses.some((use) => earlier.uses.some((other) => conflict(use, other)));
}

/** Whether the order of two uses can be told afterwards. */
export function conflict(one: Access, other: Access): boolean {
  if (one.object !== other.object) return false;
  if (one.mode !== other.mode) return true;
  return one.mode !== AccessMode.Read && one.mode !== AccessMode.Release;
}
