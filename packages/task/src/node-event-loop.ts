import { CooperativeScheduler } from "./cooperative-scheduler.ts";
import type { Access, Clock, Random, TimerHandle, TimerSource } from "./scheduler.ts";
import type { Task } from "./task.ts";

/** The most that `setTimeout` takes; more would fire at once. */
const TIMEOUT_MAX_MS = 0x7fff_ffff;

const [BEGIN_SECONDS] = process.hrtime();

/** As `performance.now()`, which leaves 16 bytes of garbage each time: drivers ask for each bio. */
function sinceBeginMs(): number {
  const time = process.hrtime();
  return (time[0] - BEGIN_SECONDS) * 1000 + time[1] / 1e6;
}

export interface EventLoopSchedulerOptions {
  /** Hears what a task or a timer threw; unless told, it is thrown where it ends the process. */
  readonly onError?: (error: unknown) => void;
  /** Hears what a kernel would warn of; unless told, a Node.js process warning. */
  readonly onWarning?: (message: string) => void;
}

/** Tasks on the event loop of Node.js: real time, no choices, interrupts at once. */
export class EventLoopScheduler extends CooperativeScheduler {
  /** Monotonic; milliseconds since about when the process began. */
  readonly clock: Clock = { nowMs: sinceBeginMs };
  readonly random: Random = { below: (bound) => Math.floor(Math.random() * bound) };
  readonly isExploring = false;
  readonly #onError: (error: unknown) => void;
  readonly #onWarning: (message: string) => void;
  readonly #idleWaiters: (() => void)[] = [];
  /** Tasks that neither sleep nor have ended. */
  #awakeCount = 0;

  constructor(options: EventLoopSchedulerOptions = {}) {
    super();
    this.#onError = options.onError ?? throwOutside;
    this.#onWarning =
      options.onWarning ??
      ((message) => {
        process.emitWarning(message);
      });
  }

  /** Ends when every task sleeps or has ended. I/O and timers may still be on their way. */
  async idle(): Promise<void> {
    while (this.#awakeCount > 0) {
      await new Promise<void>((resolve) => {
        this.#idleWaiters.push(resolve);
      });
    }
  }

  mayPreempt(task: Task, access: Access): Promise<void> | undefined;
  mayPreempt(): undefined {
    return undefined;
  }

  startTimer(timer: TimerSource, delayMs: number): TimerHandle {
    let timeout: NodeJS.Timeout;
    const wait = (leftMs: number): void => {
      const stepMs = Math.min(leftMs, TIMEOUT_MAX_MS);
      timeout = setTimeout(() => {
        if (leftMs > stepMs) wait(leftMs - stepMs);
        else this.fire(timer);
      }, stepMs);
    };
    wait(delayMs);
    return {
      cancel: () => {
        clearTimeout(timeout);
      },
    };
  }

  choose(what: string, count: number): number;
  choose(): number {
    return 0;
  }

  warn(message: string): void {
    this.#onWarning(message);
  }

  protected makeRunnable(_task: Task, resume: () => void): void {
    this.#awakeCount += 1;
    queueMicrotask(resume);
  }

  protected taskStopped(): void {
    this.#awakeCount -= 1;
    if (this.#awakeCount > 0) return;
    for (const resolve of this.#idleWaiters.splice(0)) resolve();
  }

  protected failed(error: unknown): void {
    this.#onError(error);
  }
}

function throwOutside(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
