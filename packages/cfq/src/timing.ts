import type { Clock } from "@blkstack/task";

/** A count of clock ticks, `hz` to the second. */
export type Jiffies = number;

/** What 4 in the middle is: lower numbers are served longer, higher ones shorter. */
export const PRIORITY_DEFAULT = 4;
export const PRIORITY_MAX = 7;

const MS_PER_SECOND = 1000;

/** What may be other than usual, in ticks. */
export interface TimingOptions {
  /** How long a queue that has run empty is waited for; a twentieth of a second unless told. */
  readonly idleTicks?: number | undefined;
  /** In which time every group should have its turn; three tenths of a second unless told. */
  readonly latencyTicks?: number | undefined;
}

/** The periods that everything else is made of, in ticks of one clock. */
export class Timing {
  /** How long a queue of bios that somebody waits for is served at a time. */
  readonly syncSlice: Jiffies;
  /** The same of bios that nobody waits for. */
  readonly asyncSlice: Jiffies;
  /** In which time every group should have its turn. */
  readonly targetLatency: Jiffies;
  /** How long a queue that has run empty is waited for. */
  readonly idleWindow: Jiffies;
  /** How far behind the last group one begins that comes, in virtual time: next to nothing. */
  readonly behindLast: Jiffies;
  readonly #clock: Clock;
  readonly #hz: number;

  constructor(clock: Clock, hz: number, { idleTicks, latencyTicks }: TimingOptions = {}) {
    this.#clock = clock;
    this.#hz = hz;
    this.syncSlice = Math.floor(hz / 10);
    this.asyncSlice = Math.floor(hz / 25);
    this.targetLatency = latencyTicks ?? Math.floor((hz * 3) / 10);
    this.behindLast = Math.floor(hz / 5);
    this.idleWindow = idleTicks ?? Math.floor(hz / 20);
  }

  now(): Jiffies {
    return Math.floor((this.#clock.nowMs() * this.#hz) / MS_PER_SECOND);
  }

  msOf(ticks: Jiffies): number {
    return (ticks * MS_PER_SECOND) / this.#hz;
  }

  /** How long a queue of this priority, from 0 to 7, may be served if nobody else is in its group. */
  baseSlice(isSync: boolean, priority: number): Jiffies {
    const slice = isSync ? this.syncSlice : this.asyncSlice;
    return slice + Math.floor(slice / 5) * (PRIORITY_DEFAULT - priority);
  }

  /** How long a group may be served while groups of `totalWeight`, itself included, want to be. */
  groupSlice(weight: number, totalWeight: number): Jiffies {
    return Math.floor((this.targetLatency * weight) / totalWeight);
  }
}
