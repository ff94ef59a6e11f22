import type { BioStatus } from "@blkstack/bio";
import type { Awaitable } from "./awaitable.ts";
import type { LockWatcher } from "./lock-watcher.ts";
import type { Task } from "./task.ts";
import type { Waitable } from "./waitable.ts";

/** How a step uses a shared object. Two steps commute unless their uses of one object conflict. */
export const AccessMode = {
  Read: 0,
  Write: 1,
  /** Takes from a counted resource: conflicts with every other use. */
  Acquire: 2,
  /** Gives back to a counted resource: two of these commute. */
  Release: 3,
} as const;
export type AccessMode = (typeof AccessMode)[keyof typeof AccessMode];

/** One use of one shared object. Make it once per object and mode, and hand over the same each time. */
export interface Access {
  /** What is used; its identity decides what conflicts, its label is for people. */
  readonly object: { readonly label: string };
  readonly mode: AccessMode;
  /** What the step is called in a story: `alloc from bio_set "md0"`. */
  readonly label: string;
}

export interface Clock {
  /** Milliseconds since some beginning; virtual under the explorer. */
  nowMs(): number;
}

export interface Random {
  /** An integer in `[0, bound)`. */
  below(bound: number): number;
}

/** A device or timer: whoever interrupts. */
export interface InterruptSource<Work = unknown> extends Waitable {
  /** Interrupt context: never sleeps, never throws. */
  handleInterrupt(work: Work): void;
}

/** What the scheduler wants to know of a timer. `Timer` is the one to use. */
export interface TimerSource extends Waitable {
  /**
   * Whether the timer only asks again for what somebody else must bring (a mempool's 5 s retry).
   * Such a timer does not count as a hope when a stall is looked for.
   */
  readonly isRetry: boolean;
  /** Interrupt context. */
  fire(): void;
}

/** Cancels what it was answered for; harmless when that is over. */
export interface TimerHandle {
  cancel(): void;
}

export const WakeReason = { Woken: 0, TimedOut: 1 } as const;
export type WakeReason = (typeof WakeReason)[keyof typeof WakeReason];

export type TaskBody = (task: Task) => Awaitable<void>;

/**
 * Has things fail that may fail. Whoever can fail asks each time that it could, and where several
 * schedules are explored each answer is a choice of theirs.
 */
export interface FaultSource {
  /** Whether this attempt of `site` to get memory fails. */
  allocFails(site: string): boolean;
  /** How a bio ends at the disk, `io` in words: the status, 0 for well. */
  ioStatus(io: string): BioStatus;
}

/**
 * Who decides what runs next. For real that is the event loop; under the explorer it is the search.
 * Code written against this interface cannot tell the two apart.
 */
export interface Scheduler {
  /** What goes wrong by chance; missing where nothing does, as for real. */
  readonly faults?: FaultSource;
  readonly clock: Clock;
  readonly random: Random;
  /** Whether an interrupt handler is running, so that nothing may sleep. */
  readonly inInterrupt: boolean;
  /**
   * Whether schedules are explored: then holders are tracked and reports are worth their price.
   * When not, `mayPreempt` preempts nobody and `touch` tells nobody, so hot paths skip both.
   */
  readonly isExploring: boolean;
  /** Whom locks tell that they are taken; null, and so for free, unless orders are looked at. */
  readonly lockWatcher: LockWatcher | null;

  /** Starts a task. It runs soon, never inside this call. */
  spawn(name: string, body: TaskBody): Task;

  /**
   * A point where another task may run first, to be called before the access that others could
   * see. For real: undefined, at no cost. Under the explorer: a promise that ends when the task
   * was chosen.
   */
  mayPreempt(task: Task, access: Access): Promise<void> | undefined;

  /** Tells of an access inside a step that cannot be preempted (a free, an endIo, a wake-up). */
  touch(access: Access): void;

  /**
   * Sleeps until `wake`, or for `timeoutMs`. Whatever decides about sleeping and this call must
   * have no wait between them, or a wake-up is lost. `isRetry` as in `TimerSource`.
   */
  sleep(task: Task, on: Waitable, timeoutMs?: number, isRetry?: boolean): Promise<WakeReason>;

  /** Wakes a sleeper; harmless when the task does not sleep. Never runs it inside this call. */
  wake(task: Task): void;

  /**
   * Has `source.handleInterrupt(work)` called: for real at once, inside this call; under the
   * explorer as a step of its own, in any order with those pending.
   */
  raise<Work>(source: InterruptSource<Work>, work: Work): void;

  /** Calls `timer.fire()` in interrupt context after `delayMs`. */
  startTimer(timer: TimerSource, delayMs: number): TimerHandle;

  /**
   * A choice that is nobody's to make: which of `count` outcomes happens. For real always 0, the
   * good one; under the explorer each in turn.
   */
  choose(what: string, count: number): number;

  /** Something that a kernel would warn of, and that a report should show. */
  warn(message: string): void;
}
