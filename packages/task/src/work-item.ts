import type { Awaitable } from "./awaitable.ts";
import type { LockOptions, WatchedLock } from "./lock-watcher.ts";
import type { Task } from "./task.ts";
import type { EndsBy, Waitable } from "./waitable.ts";
import { WorkState } from "./work-state.ts";

/** What only the queue may know and change of an item. */
export let workStateOf: (item: WorkItem) => WorkState;

/**
 * Something to be done later, by a worker task. It is queued at most once at a time and never runs
 * twice at a time; queued while it runs, it runs once more afterwards.
 */
export class WorkItem implements Waitable, WatchedLock {
  readonly label: string;
  /** It is held while it runs, by its worker, and waited for by who flushes it. */
  readonly lockClass: string | null;
  /** What is done; `task` is the worker, with nothing parked and nothing held. */
  readonly run: (task: Task) => Awaitable<void>;
  readonly #state: WorkState;

  static {
    workStateOf = (item) => item.#state;
  }

  constructor(name: string, run: (task: Task) => Awaitable<void>, { lockClass }: LockOptions = {}) {
    this.label = `work item "${name}"`;
    this.lockClass = lockClass ?? null;
    this.run = run;
    this.#state = new WorkState(this);
  }

  /** Whether it waits to run, for a worker or for its delay. */
  get isPending(): boolean {
    return this.#state.isPending;
  }

  get isRunning(): boolean {
    return this.#state.worker !== null;
  }

  /** A run in progress is its worker's; one that is pending may be cancelled by anybody. */
  get endsBy(): EndsBy | undefined {
    return this.isRunning ? "any" : undefined;
  }

  /** The worker that runs it, else what it is queued on. */
  blockers(): readonly object[] {
    return this.#state.blockers();
  }
}
