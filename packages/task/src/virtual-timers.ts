import type { TimerHandle, TimerSource } from "./scheduler.ts";

interface Armed {
  readonly timer: TimerSource;
  readonly dueMs: number;
}

/** A clock that moves only when told, and the timers that wait for it, soonest first. */
export class VirtualTimers {
  nowMs: number;
  readonly #armed: Armed[] = [];

  constructor(startMs: number) {
    this.nowMs = startMs;
  }

  /** Of timers that fall due together, the one started first goes first. */
  start(timer: TimerSource, delayMs: number): TimerHandle {
    const armed = { timer, dueMs: this.nowMs + Math.max(0, delayMs) };
    const before = this.#armed.findLastIndex(({ dueMs }) => dueMs <= armed.dueMs);
    this.#armed.splice(before + 1, 0, armed);
    return {
      cancel: () => {
        const index = this.#armed.indexOf(armed);
        if (index >= 0) this.#armed.splice(index, 1);
      },
    };
  }

  /** Takes the next timer that falls due until `untilMs`, and moves the clock to that moment. */
  takeDue(untilMs: number): TimerSource | null {
    const next = this.#armed[0];
    if (next === undefined || next.dueMs > untilMs) return null;
    this.#armed.shift();
    this.nowMs = next.dueMs;
    return next.timer;
  }
}
