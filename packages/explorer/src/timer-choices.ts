import {
  type Access,
  AccessMode,
  type Clock,
  type TimerHandle,
  type TimerSource,
} from "@blkstack/task";
import { type Actor, PendingInterrupt } from "./actor.ts";
import type { Audience } from "./audience.ts";
import type { ArmedTimer, TimerWish, VirtualTime } from "./virtual-time.ts";

const CLOCK = { label: "the clock" };

/** Reading the time, arming and cancelling: they commute with each other. */
export const READ_CLOCK: Access = { object: CLOCK, mode: AccessMode.Read, label: "" };
/** A timer that fires moves the time on, which whoever reads it can tell. */
export const MOVE_CLOCK: Access = { object: CLOCK, mode: AccessMode.Write, label: "" };

/**
 * How often the timers of one name fire in one run while somebody else could go on. Without a
 * limit, whoever looks again and again would do so for ever, and nobody else would ever run.
 */
const EARLY_MAX = 3;
/** Who asks again in vain learns nothing by asking twice. */
const EARLY_RETRIES_MAX = 1;

/** A timer that fires as a step of its own, like an interrupt that was raised when it was armed. */
export class PendingTimer extends PendingInterrupt {
  readonly timer: ArmedTimer;
  /** What counts as the same timer, armed again. */
  readonly kind: string;

  constructor(timer: ArmedTimer, id: number, kind: string) {
    super(
      {
        label: timer.label,
        blockers: () => [],
        handleInterrupt: () => {
          timer.fire();
        },
      },
      timer,
      id,
    );
    this.timer = timer;
    this.kind = kind;
  }

  /** Only the earliest timer can fire, so that timers of one name are told apart by that. */
  override get name(): string {
    return this.timer.label;
  }
}

/** What timers need of a run. */
interface TimedRun {
  readonly time: VirtualTime;
  readonly audience: Audience;
  touch(access: Access): void;
}

/** The timers of one run in which the time for the earliest may have come at any point. */
export class TimerChoices {
  /** The clock for explored code, whose readings are uses of it. */
  readonly clock: Clock;
  readonly #time: VirtualTime;
  readonly #pending = new Map<ArmedTimer, PendingTimer>();
  readonly #early = new Map<string, number>();
  readonly #run: TimedRun;
  #isEarly = false;

  constructor(run: TimedRun) {
    this.#time = run.time;
    this.#run = run;
    this.clock = {
      nowMs: () => {
        run.touch(READ_CLOCK);
        return run.time.nowMs();
      },
    };
  }

  /** The present step has armed the timer. Answers how it is cancelled. */
  armed(pending: PendingTimer, by: Actor | null): TimerHandle {
    const { timer } = pending;
    this.#pending.set(timer, pending);
    this.#run.touch(READ_CLOCK);
    this.#run.audience.timerWaits(pending, by);
    return {
      cancel: () => {
        if (!timer.isArmed) return;
        this.#run.touch(READ_CLOCK);
        this.#run.audience.timerCancelled(pending);
        timer.cancel();
      },
    };
  }

  /** Adds the earliest timer to those who can take the next step, if it may fire. */
  offer(enabled: Actor[]): void {
    const { earliest } = this.#time;
    const pending = earliest === null ? undefined : this.#pending.get(earliest);
    if (pending === undefined) return;
    this.#isEarly = enabled.length > 0;
    if (this.#isEarly ? this.#mayBeEarly(pending) : this.#time.hasHope) enabled.push(pending);
  }

  /** It was chosen: the time is its time now. */
  fires(pending: PendingTimer): void {
    this.#pending.delete(pending.timer);
    this.#time.moveTo(pending.timer);
    this.#run.touch(MOVE_CLOCK);
    this.#run.audience.timerFires(pending);
    if (!this.#isEarly) return;
    this.#early.set(pending.kind, (this.#early.get(pending.kind) ?? 0) + 1);
  }

  #mayBeEarly({ kind, timer }: PendingTimer): boolean {
    const max = timer.isRetry ? EARLY_RETRIES_MAX : EARLY_MAX;
    return (this.#early.get(kind) ?? 0) < max;
  }
}

/** Whether it is a retry may change until it fires. */
export function wishOf(timer: TimerSource, delayMs: number): TimerWish {
  return {
    delayMs,
    get isRetry() {
      return timer.isRetry;
    },
    label: timer.label,
    fire: () => {
      timer.fire();
    },
  };
}
