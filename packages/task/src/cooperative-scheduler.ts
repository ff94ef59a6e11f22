import { invariant } from "@blkstack/bio";
import { type Awaitable, isPending } from "./awaitable.ts";
import type { LockWatcher } from "./lock-watcher.ts";
import {
  type Access,
  type Clock,
  type InterruptSource,
  type Random,
  type Scheduler,
  type TaskBody,
  type TimerHandle,
  type TimerSource,
  WakeReason,
} from "./scheduler.ts";
import { assertMaySleep, assertNothingParked, Task } from "./task.ts";
import type { Waitable } from "./waitable.ts";

interface Sleeper {
  readonly resume: (reason: WakeReason) => void;
  timeout: TimerHandle | null;
}

/**
 * What every scheduler of tasks that are promises has in common: who sleeps, how tasks begin and
 * end, and whether an interrupt runs. When a runnable task really runs is its subclass's business.
 */
export abstract class CooperativeScheduler implements Scheduler {
  abstract readonly clock: Clock;
  abstract readonly random: Random;
  abstract readonly isExploring: boolean;
  /** Nobody compares schedules here. */
  readonly touch: (access: Access) => void = () => undefined;
  readonly lockWatcher: LockWatcher | null = null;
  readonly #sleepers = new Map<Task, Sleeper>();
  #lastTaskId = 0;
  #interruptDepth = 0;

  abstract mayPreempt(task: Task, access: Access): Promise<void> | undefined;
  abstract startTimer(timer: TimerSource, delayMs: number): TimerHandle;
  abstract choose(what: string, count: number): number;
  abstract warn(message: string): void;

  /** Has `resume` called soon, never inside this call: the task can run. */
  protected abstract makeRunnable(task: Task, resume: () => void): void;
  /** The running task sleeps or has ended. */
  protected abstract taskStopped(task: Task): void;
  /** The body of a task, or a timer, threw. */
  protected abstract failed(error: unknown): void;

  get inInterrupt(): boolean {
    return this.#interruptDepth > 0;
  }

  /** The tasks that sleep, longest sleeper first. */
  sleepers(): Task[] {
    return [...this.#sleepers.keys()];
  }

  spawn(name: string, body: TaskBody): Task {
    this.#lastTaskId += 1;
    const task = new Task(name, this.#lastTaskId, this);
    this.makeRunnable(task, () => {
      this.#begin(task, body);
    });
    return task;
  }

  sleep(task: Task, on: Waitable, timeoutMs?: number, isRetry = false): Promise<WakeReason> {
    assertMaySleep(task, on.label);
    invariant(!this.#sleepers.has(task), `${task.name} sleeps twice at once`);
    task.waitingFor = on;
    const sleep = new Promise<WakeReason>((resume) => {
      this.#sleepers.set(task, { resume, timeout: null });
    });
    if (timeoutMs !== undefined) this.#startTimeout(task, timeoutMs, isRetry);
    // The task counts as asleep already, so that the hook may wake it.
    if (task.sleepHook !== null) runSleepHook(task, task.sleepHook);
    this.taskStopped(task);
    return sleep;
  }

  wake(task: Task): void {
    this.#endSleep(task, WakeReason.Woken);
  }

  raise<Work>(source: InterruptSource<Work>, work: Work): void {
    this.#interruptDepth += 1;
    try {
      source.handleInterrupt(work);
    } finally {
      this.#interruptDepth -= 1;
    }
  }

  /** Fires a timer; what it throws has no caller to go to. */
  protected fire(timer: TimerSource): void {
    this.#interruptDepth += 1;
    try {
      timer.fire();
    } catch (error) {
      this.failed(error);
    } finally {
      this.#interruptDepth -= 1;
    }
  }

  #begin(task: Task, body: TaskBody): void {
    let outcome: Awaitable<void>;
    try {
      outcome = body(task);
      if (!isPending(outcome)) this.#checkEnd(task);
    } catch (error) {
      this.#fail(task, error);
      return;
    }
    if (isPending(outcome)) void this.#awaitEnd(task, outcome);
    else this.taskStopped(task);
  }

  async #awaitEnd(task: Task, outcome: Promise<void>): Promise<void> {
    try {
      await outcome;
      this.#checkEnd(task);
    } catch (error) {
      this.#fail(task, error);
      return;
    }
    this.taskStopped(task);
  }

  #checkEnd(task: Task): void {
    assertNothingParked(task);
    invariant(task.atomicDepth === 0, `${task.name} ended holding a spinlock`);
  }

  #fail(task: Task, error: unknown): void {
    this.#sleepers.delete(task);
    this.failed(error);
    this.taskStopped(task);
  }

  #startTimeout(task: Task, timeoutMs: number, isRetry: boolean): void {
    const { waitingFor } = task;
    const timeout: TimerSource = {
      label: `timeout of ${task.name}`,
      isRetry,
      blockers: () => (waitingFor === null ? [] : [waitingFor]),
      fire: () => {
        this.#endSleep(task, WakeReason.TimedOut);
      },
    };
    const sleeper = this.#sleepers.get(task);
    if (sleeper !== undefined) sleeper.timeout = this.startTimer(timeout, timeoutMs);
  }

  #endSleep(task: Task, reason: WakeReason): void {
    const sleeper = this.#sleepers.get(task);
    if (sleeper === undefined) return;
    this.#sleepers.delete(task);
    task.waitingFor = null;
    sleeper.timeout?.cancel();
    this.makeRunnable(task, () => {
      sleeper.resume(reason);
    });
  }
}

/** A hook that slept would sleep for ever: its task is on its way to sleep. */
function runSleepHook(task: Task, hook: (task: Task) => void): void {
  task.atomicDepth += 1;
  try {
    hook(task);
  } finally {
    task.atomicDepth -= 1;
  }
}
