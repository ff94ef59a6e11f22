import type { Clock, TimerHandle } from "@blkstack/task";

/** Something to happen at a time, in interrupt context. */
export class ArmedTimer implements TimerHandle {
  readonly atMs: number;
  readonly delayMs: number;
  readonly label: string;
  readonly #what: TimerWish;
  readonly #timers: ArmedTimer[];

  constructor(timers: ArmedTimer[], nowMs: number, what: TimerWish) {
    this.#timers = timers;
    this.atMs = nowMs + what.delayMs;
    this.delayMs = what.delayMs;
    this.label = what.label;
    this.#what = what;
  }

  /** Only asks again for what somebody else must bring: no hope in a stall. May change. */
  get isRetry(): boolean {
    return this.#what.isRetry;
  }

  get isArmed(): boolean {
    return this.#timers.includes(this);
  }

  fire(): void {
    this.#what.fire();
  }

  cancel(): void {
    const index = this.#timers.indexOf(this);
    if (index >= 0) this.#timers.splice(index, 1);
  }
}

export interface TimerWish {
  readonly delayMs: number;
  readonly isRetry: boolean;
  readonly label: string;
  fire(): void;
}

/**
 * Time under the explorer. It stands still until a timer fires, and jumps to the time of that. Timers of one moment fire in the order in which they were armed.
 */
export class VirtualTime implements Clock {
  readonly armed: ArmedTimer[] = [];
  #nowMs = 0;

  nowMs(): number {
    return this.#nowMs;
  }

  start(wish: TimerWish): ArmedTimer {
    const timer = new ArmedTimer(this.armed, this.#nowMs, wish);
    this.armed.push(timer);
    return timer;
  }

  get hasHope(): boolean {
    return this.armed.some((timer) => !timer.isRetry);
  }

  /** The longest delay of an armed timer, in ms; 0 without any. */
  get longestDelayMs(): number {
    return this.armed.reduce((longest, timer) => Math.max(longest, timer.delayMs), 0);
  }

  get earliest(): ArmedTimer | null {
    const [first, ...others] = this.armed;
    if (first === undefined) return null;
    return others.reduce((best, timer) => (timer.atMs < best.atMs ? timer : best), first);
  }

  /** Takes the earliest timer off and moves the time there. */
  takeEarliest(): ArmedTimer | null {
    const { earliest } = this;
    if (earliest !== null) this.moveTo(earliest);
    return earliest;
  }

  /** Takes this timer off and moves the time there. */
  moveTo(timer: ArmedTimer): void {
    timer.cancel();
    this.#nowMs = Math.max(this.#nowMs, timer.atMs);
  }
}
