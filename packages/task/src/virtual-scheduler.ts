import { invariant } from "@blkstack/bio";
import { type Awaitable } from "./awaitable.ts";
import { CooperativeScheduler } from "./cooperative-scheduler.ts";
import type {
  Access,
  Clock,
  InterruptSource,
  Random,
  TimerHandle,
  TimerSource,
} from "./scheduler.ts";
import { SeededRandom } from "./seeded-random.ts";
import { assertMaySleep, type Task } from "./task.ts";
import { VirtualTimers } from "./virtual-timers.ts";

export interface VirtualSchedulerOptions {
  /** Orders preemptions, starts, wake-ups and queued interrupts. Without it: first come, first run. */
  readonly seed?: number;
  /** What the clock shows at the beginning, in ms; 1000 unless told. */
  readonly startMs?: number;
  /** `inline` handles an interrupt inside `raise`; `queued` keeps it for `run` or the test. */
  readonly interrupts?: "inline" | "queued";
  /** Whether the code under test shall track holders as under the explorer; true unless told. */
  readonly isExploring?: boolean;
  /** Answers `Scheduler.choose`; 0, the good outcome, unless told. */
  readonly choose?: (what: string, count: number) => number;
}

/** An interrupt that was raised and not handled yet. */
export interface PendingInterrupt {
  readonly source: InterruptSource;
  readonly work: unknown;
}

interface Runnable {
  readonly task: Task;
  readonly resume: () => void;
}

/**
 * A scheduler for unit tests: one task at a time, to its next sleep or preemption, in virtual time.
 *
 * Deterministic: the same seed gives the same run. A task may only wait through the scheduler; one
 * that awaits something else counts as running until that comes.
 */
export class VirtualScheduler extends CooperativeScheduler {
  readonly clock: Clock = { nowMs: () => this.#timers.nowMs };
  readonly random: Random;
  readonly isExploring: boolean;
  /** What `warn` was told, oldest first. */
  readonly warnings: string[] = [];
  readonly #order: Random | null;
  readonly #queuesInterrupts: boolean;
  readonly #outcomeOf: (what: string, count: number) => number;
  readonly #timers: VirtualTimers;
  readonly #runnable: Runnable[] = [];
  readonly #interrupts: PendingInterrupt[] = [];
  readonly #errors: unknown[] = [];
  #running: Task | null = null;
  #endStep: () => void = () => undefined;

  constructor(options: VirtualSchedulerOptions = {}) {
    super();
    const { seed, startMs = 1000, interrupts = "inline", isExploring = true } = options;
    this.#order = seed === undefined ? null : new SeededRandom(seed);
    this.random = new SeededRandom(~(seed ?? 0));
    this.#timers = new VirtualTimers(startMs);
    this.#queuesInterrupts = interrupts === "queued";
    this.isExploring = isExploring;
    this.#outcomeOf = options.choose ?? (() => 0);
  }

  /** The interrupts that wait to be handled, oldest first. */
  get pendingInterrupts(): readonly PendingInterrupt[] {
    return this.#interrupts;
  }

  /** Runs until no task can run and no interrupt is pending; no time passes. Throws what a task threw. */
  async run(): Promise<void> {
    for (;;) {
      await this.#runUntil(() => this.#runnable.length === 0 && this.#interrupts.length === 0);
      const due = this.#timers.takeDue(this.#timers.nowMs);
      if (due === null) return;
      this.fire(due);
    }
  }

  /** Runs until no task can run; interrupts stay pending. */
  async runTasks(): Promise<void> {
    await this.#runUntil(() => this.#runnable.length === 0);
  }

  /** Lets `ms` pass: fires what falls due, in order, and runs everything in between. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#timers.nowMs + ms;
    await this.run();
    for (let due = this.#timers.takeDue(endMs); due !== null; due = this.#timers.takeDue(endMs)) {
      this.fire(due);
      await this.run();
    }
    this.#timers.nowMs = endMs;
  }

  /** Runs `body` in a task of its own, and everything else with it; answers what it answers. */
  async perform<T>(name: string, body: (task: Task) => Awaitable<T>): Promise<T> {
    let answer: { readonly value: T } | null = null as { readonly value: T } | null;
    const task = this.spawn(name, async (self) => {
      answer = { value: await body(self) };
    });
    await this.run();
    invariant(answer !== null, `${name} still waits for ${task.waitingFor?.label ?? "nothing"}`);
    return answer.value;
  }

  /** Handles the `index`th pending interrupt now. */
  completeInterrupt(index: number): void {
    const [pending] = this.#interrupts.splice(index, 1);
    invariant(pending !== undefined, `no interrupt ${String(index)} is pending`);
    super.raise(pending.source, pending.work);
  }

  mayPreempt(task: Task, access: Access): Promise<void> | undefined {
    assertMaySleep(task, access.label);
    if (this.#order === null) return undefined;
    const preemption = new Promise<void>((resume) => {
      this.makeRunnable(task, resume);
    });
    this.taskStopped(task);
    return preemption;
  }

  override raise<Work>(source: InterruptSource<Work>, work: Work): void {
    if (this.#queuesInterrupts) this.#interrupts.push({ source, work });
    else super.raise(source, work);
  }

  startTimer(timer: TimerSource, delayMs: number): TimerHandle {
    return this.#timers.start(timer, delayMs);
  }

  choose(what: string, count: number): number {
    return this.#outcomeOf(what, count);
  }

  warn(message: string): void {
    this.warnings.push(message);
  }

  protected makeRunnable(task: Task, resume: () => void): void {
    this.#runnable.push({ task, resume });
  }

  protected taskStopped(task: Task): void {
    invariant(task === this.#running, `${task.name} waits although it was not its turn to run`);
    this.#running = null;
    this.#endStep();
  }

  protected failed(error: unknown): void {
    this.#errors.push(error);
  }

  async #runUntil(isDone: () => boolean): Promise<void> {
    invariant(this.#running === null, "the scheduler was run by one of its own tasks");
    for (;;) {
      if (this.#errors.length > 0) throw this.#errors.shift();
      if (isDone()) return;
      await this.#step();
    }
  }

  async #step(): Promise<void> {
    const tasks = this.#runnable.length;
    const choice = this.#order?.below(tasks + this.#interrupts.length) ?? 0;
    if (choice >= tasks) {
      this.#handleInterrupt(choice - tasks);
      return;
    }
    const [next] = this.#runnable.splice(choice, 1);
    if (next === undefined) return;
    const step = new Promise<void>((endStep) => {
      this.#endStep = endStep;
    });
    this.#running = next.task;
    next.resume();
    await step;
  }

  #handleInterrupt(index: number): void {
    try {
      this.completeInterrupt(index);
    } catch (error) {
      this.failed(error);
    }
  }
}
