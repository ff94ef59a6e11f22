import type { Scheduler, TimerHandle, TimerSource } from "./scheduler.ts";

/** Calls a function once, some time after it was armed. */
export class Timer implements TimerSource {
  readonly label: string;
  readonly isRetry: boolean;
  readonly #scheduler: Scheduler;
  readonly #onFire: () => void;
  #armed: TimerHandle | null = null;

  /** `onFire` runs in interrupt context: it never sleeps. `isRetry` as in `TimerSource`. */
  constructor(scheduler: Scheduler, name: string, onFire: () => void, isRetry = false) {
    this.label = `timer "${name}"`;
    this.isRetry = isRetry;
    this.#scheduler = scheduler;
    this.#onFire = onFire;
  }

  get isArmed(): boolean {
    return this.#armed !== null;
  }

  /** Nobody: time passes by itself. */
  blockers(): readonly object[] {
    return [];
  }

  /** Fires once in `delayMs`; an armed timer is set anew. Waits: never. */
  arm(delayMs: number): void {
    this.#armed?.cancel();
    this.#armed = this.#scheduler.startTimer(this, delayMs);
  }

  /** Answers whether it was armed. Waits: never. */
  cancel(): boolean {
    if (this.#armed === null) return false;
    this.#armed.cancel();
    this.#armed = null;
    return true;
  }

  /** For the scheduler. */
  fire(): void {
    this.#armed = null;
    this.#onFire();
  }
}
