import {
  type Access,
  AccessMode,
  type Scheduler,
  type TimerHandle,
  type TimerSource,
} from "./scheduler.ts";

/** Calls a function once, some time after it was armed. */
export class Timer implements TimerSource {
  readonly label: string;
  readonly isRetry: boolean;
  readonly #scheduler: Scheduler;
  readonly #onFire: () => void;
  readonly #use: Access;
  #armed: TimerHandle | null = null;

  /** `onFire` runs in interrupt context: it never sleeps. `isRetry` as in `TimerSource`. */
  constructor(scheduler: Scheduler, name: string, onFire: () => void, isRetry = false) {
    this.label = `timer "${name}"`;
    this.isRetry = isRetry;
    this.#scheduler = scheduler;
    this.#onFire = onFire;
    this.#use = { object: this, mode: AccessMode.Write, label: "" };
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
    this.#scheduler.touch(this.#use);
    this.#armed?.cancel();
    this.#armed = this.#scheduler.startTimer(this, delayMs);
  }

  /** Answers whether it was armed. Waits: never. */
  cancel(): boolean {
    this.#scheduler.touch(this.#use);
    if (this.#armed === null) return false;
    this.#armed.cancel();
    this.#armed = null;
    return true;
  }

  /** For the scheduler. */
  fire(): void {
    this.#scheduler.touch(this.#use);
    this.#armed = null;
    this.#onFire();
  }
}
