import { invariant } from "@blkstack/bio";
import {
  type Access,
  AccessMode,
  assertNothingParked,
  type InterruptSource,
  type Scheduler,
  Task,
  type TaskBody,
  type TimerHandle,
  type Waitable,
  type WakeReason,
} from "@blkstack/task";

/** Where a task stands between two steps. */
export const TaskState = { Starting: 0, Ready: 1, Sleeping: 2, Done: 3 } as const;
export type TaskState = (typeof TaskState)[keyof typeof TaskState];

/** Says whether a step can be taken now; asked again before every choice. Must change nothing. */
export type Guard = () => boolean;

const TASKS = { label: "the tasks" };
const START: Access = { object: TASKS, mode: AccessMode.Read, label: "starts" };

/** A task under the explorer: between two steps it is exactly one announced step, asleep, or over. */
export class ExploredTask extends Task {
  readonly body: TaskBody;
  /** Serves others and need not end; the tasks of the scenario must. */
  readonly isService: boolean;
  state: TaskState = TaskState.Starting;
  /** The step announced; what it is called and what it touches first. */
  access: Access = START;
  guard: Guard | null = null;
  /** The step taken last, as it was announced. */
  lastTaken: Access | null = null;
  /** How often it has taken that step again, one time after the other. */
  repeats = 0;
  /** Ends the promise that the task waits for. */
  resume: ((reason: WakeReason) => void) | null = null;
  wakeReason: WakeReason = 0;
  timeout: TimerHandle | null = null;
  /** How often the timeout only has it ask again, in ms; 0: the timeout ends the wait. */
  asksAgainMs = 0;
  /** What it used last before it went to sleep: the pool, where it waits for the pool's queue. */
  lastUsed: Access["object"] | null = null;
  /** The step at which it last went to sleep, or was last blocked. */
  waitsSinceStep = 0;
  /** When that was, in virtual time. */
  waitsSinceMs = 0;
  /** What it waits for again, after a retry timer had it ask in vain: all of that is one wait. */
  askedAgainFor: Waitable | null = null;
  /** What this task has seen so far, as a number of the state table. */
  history = 0;
  /** What its waker had seen. */
  wakerHistory = 0;
  /** Handed to `new Promise`, so that announcing a step makes no closure. */
  readonly capture: (resolve: (reason: WakeReason) => void) => void;

  constructor(name: string, id: number, scheduler: Scheduler, role: TaskRole) {
    super(name, id, scheduler);
    this.body = role.body;
    this.isService = role.isService;
    // Not in one line: V8 allocates a function that is assigned to a property as one that lives long,
    // and all that it can reach outlives young collections with it: the whole run.
    const capture = (resolve: (reason: WakeReason) => void): void => {
      this.resume = resolve;
    };
    this.capture = capture;
  }

  /** Whether it sleeps no longer than for a time, and not only to ask again. */
  get hasTimeout(): boolean {
    return this.timeout !== null && this.asksAgainMs === 0;
  }

  /** From here on it is `access`, to be taken once `guard` holds. */
  announce(access: Access, guard: Guard | null, steps: number): void {
    this.access = access;
    this.guard = guard;
    this.state = TaskState.Ready;
    this.waitsSinceStep = steps;
    this.askedAgainFor = null;
  }

  /** From here on it sleeps. `isNewWait`: not one that it has only come back to. */
  fallAsleep(on: Waitable, isNewWait: boolean, steps: number, nowMs: number): void {
    this.waitingFor = on;
    if (this.access.object !== this) this.lastUsed = this.access.object;
    this.state = TaskState.Sleeping;
    if (isNewWait) {
      this.waitsSinceStep = steps;
      this.waitsSinceMs = nowMs;
    }
    this.guard = null;
    this.askedAgainFor = null;
  }

  /** From here on its next step is to see why it was woken, under the name of `label`. */
  wakeUp(reason: WakeReason, label: string): void {
    this.timeout = null;
    this.state = TaskState.Ready;
    this.wakeReason = reason;
    this.access = { object: this, mode: AccessMode.Write, label };
    this.waitingFor = null;
  }

  /** Throws when it leaves something behind that nobody else could take care of. */
  end(): void {
    this.state = TaskState.Done;
    assertNothingParked(this);
    invariant(this.atomicDepth === 0, `${this.name} ended holding a spinlock`);
  }

  get isEnabled(): boolean {
    return this.state <= TaskState.Ready && (this.guard === null || this.guard());
  }
}

export interface TaskRole {
  readonly body: TaskBody;
  readonly isService: boolean;
}

/** An interrupt that was raised and has not been handled: a completion in flight. */
export class PendingInterrupt {
  readonly source: InterruptSource;
  readonly work: unknown;
  readonly id: number;
  /** What its raiser had seen; then what its handler has. */
  history = 0;

  constructor(source: InterruptSource, work: unknown, id: number) {
    this.source = source;
    this.work = work;
    this.id = id;
  }

  /** Not a description of the work, which a story adds: this must be the same in every replay. */
  get name(): string {
    return `irq#${String(this.id)} ${this.source.label}`;
  }
}

/** Whoever can take the next step. */
export type Actor = ExploredTask | PendingInterrupt;
