import type { Scheduler, TimerHandle, TimerSource } from "@blkstack/task";

/** How often in its time a connection is looked at. */
const LOOKS = 4;

/** A connection that may fall silent. */
export interface Speaker {
  /** Requests that are not answered. */
  readonly inFlight: number;
  /** Whether anything has come since `false` was last written here, or nothing was waited for. */
  hasSpoken: boolean;
}

/**
 * Notices that a server says nothing while requests wait for it. One timer for all connections, which
 * runs while there are any, so that a request costs no look at the clock. It takes the time that was
 * given, and up to a fourth of it more.
 */
export class SilenceWatch implements TimerSource {
  readonly label: string;
  readonly isRetry = false;
  readonly #scheduler: Scheduler;
  readonly #periodMs: number;
  readonly #onSilence: () => void;
  #speakers: readonly Speaker[] = [];
  /** For how many looks in a row each was silent. */
  #silent: number[] = [];
  #timer: TimerHandle | null = null;

  constructor(label: string, scheduler: Scheduler, limitMs: number, onSilence: () => void) {
    this.label = label;
    this.#scheduler = scheduler;
    this.#periodMs = Math.max(1, Math.ceil(limitMs / LOOKS));
    this.#onSilence = onSilence;
  }

  blockers(): readonly object[] {
    return [];
  }

  /** Watches these from now on, and no others. */
  follow(speakers: readonly Speaker[]): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#speakers = speakers;
    this.#silent = speakers.map(() => 0);
    if (speakers.length > 0) this.#timer = this.#scheduler.startTimer(this, this.#periodMs);
  }

  fire(): void {
    let isSilent = false;
    for (const [index, speaker] of this.#speakers.entries()) {
      const looks =
        speaker.hasSpoken || speaker.inFlight === 0 ? 0 : (this.#silent[index] ?? 0) + 1;
      speaker.hasSpoken = false;
      this.#silent[index] = looks;
      isSilent ||= looks > LOOKS;
    }
    this.#timer = this.#scheduler.startTimer(this, this.#periodMs);
    if (isSilent) this.#onSilence();
  }
}
