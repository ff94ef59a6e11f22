import { invariant } from "@blkstack/bio";
import { type Awaitable, isPending } from "./awaitable.ts";
import { LockMode } from "./lock-watcher.ts";
import { type Access, AccessMode, type Scheduler } from "./scheduler.ts";
import { assertMaySleep, assertNothingParked, type Task } from "./task.ts";
import { Timer } from "./timer.ts";
import { WaitQueue } from "./wait-queue.ts";
import type { Waitable } from "./waitable.ts";
import { type WorkItem, workStateOf } from "./work-item.ts";
import type { WorkPlace, WorkState } from "./work-state.ts";
import { type WorkerClient, WorkerPool } from "./worker-pool.ts";

/** How many items of one queue may run at a time, unless told. */
const DEFAULT_MAX_ACTIVE = 256;

/** Tasks that reclaim may depend on: they must not wait for a queue that may find no worker. */
const reclaimWorkers = new WeakSet<Task>();

export interface WorkQueueOptions {
  readonly scheduler: Scheduler;
  readonly name: string;
  /**
   * Whether there is a rescuer, so that one item at a time runs however little memory is left.
   * An item of such a queue must not wait for another item of the same queue.
   */
  readonly reclaimGuaranteed?: boolean;
  /** How many items may run at a time; 1 keeps them in order, 0 means the default, 256. */
  readonly maxActive?: number;
  /** Where workers come from; a pool of its own that never runs short, unless told. */
  readonly pool?: WorkerPool;
}

/** Runs work items in worker tasks, first come, first started. */
export class WorkQueue implements Waitable {
  readonly label: string;
  readonly scheduler: Scheduler;
  readonly reclaimGuaranteed: boolean;
  readonly #name: string;
  readonly #maxActive: number;
  readonly #pool: WorkerPool;
  readonly #client: WorkerClient;
  readonly #add: Access;
  readonly #take: Access;
  readonly #finish: Access;
  readonly #idle: WaitQueue;
  readonly #pending: WorkItem[] = [];
  readonly #workers = new Set<Task>();
  #rescuer: Task | null = null;
  /** A worker that was started and has not looked for its first item yet. */
  #isStarting = false;
  /** Items taken by a worker and not finished. */
  #activeCount = 0;
  #drainerCount = 0;
  #isDestroyed = false;

  constructor(options: WorkQueueOptions) {
    this.scheduler = options.scheduler;
    this.#name = options.name;
    this.label = `work queue "${options.name}"`;
    this.reclaimGuaranteed = options.reclaimGuaranteed ?? false;
    this.#maxActive = (options.maxActive ?? 0) || DEFAULT_MAX_ACTIVE;
    this.#pool = options.pool ?? new WorkerPool();
    this.#client = this.#createClient();
    this.#idle = new WaitQueue(this.label, { blockers: () => this.blockers() });
    // Items of an unordered queue meet at the item; that two were added in this or that order
    // makes no difference there.
    const [add, take] = this.#isOrdered
      ? [AccessMode.Write, AccessMode.Write]
      : [AccessMode.Release, AccessMode.Acquire];
    this.#add = { object: this, mode: add, label: `queue on ${this.label}` };
    this.#take = { object: this, mode: take, label: `take from ${this.label}` };
    this.#finish = { object: this, mode: add, label: `done for ${this.label}` };
  }

  /** The workers on their way or at work, and the pool while it has none to give. */
  blockers(): readonly object[] {
    const workers: object[] = [...this.#workers];
    if (this.#rescuer !== null) workers.push(this.#rescuer);
    if (this.#pool.isStarving(this.#client)) workers.push(this.#pool);
    return workers;
  }

  /**
   * Has `item` run soon; false if it is pending already, and then that run will see what the caller
   * did before. So add to a list first, then queue. Work of this queue that queues more of it says
   * so by its `task`, or is refused while the queue drains.
   *
   * Waits: never. From interrupt context too.
   */
  queue(item: WorkItem, task?: Task): boolean {
    invariant(!this.#isDestroyed, `use after free: ${item.label} queued on ${this.label}`);
    const state = workStateOf(item);
    this.#touch(state);
    if (state.isPending || state.cancelerCount > 0) return false;
    state.setPending(this.#placeOf(item));
    this.#accept(item, state, task);
    return true;
  }

  /** As `queue`, after `delayMs`; the item is pending meanwhile. At once when that is 0. */
  queueDelayed(item: WorkItem, delayMs: number): boolean {
    if (delayMs <= 0) return this.queue(item);
    invariant(!this.#isDestroyed, `use after free: ${item.label} queued on ${this.label}`);
    const state = workStateOf(item);
    this.#touch(state);
    if (state.isPending || state.cancelerCount > 0) return false;
    const timer = new Timer(this.scheduler, `delay of ${item.label}`, () => {
      invariant(!this.#isDestroyed, `use after free: ${item.label} queued on ${this.label}`);
      this.#touch(state);
      state.moveTo(this.#placeOf(item));
      this.#accept(item, state);
    });
    state.setPending({
      on: timer,
      remove: () => {
        timer.cancel();
      },
    });
    timer.arm(delayMs);
    return true;
  }

  /** Makes a pending item, delayed or queued, not run; answers whether it was. Waits: never. */
  cancelDelayed(item: WorkItem): boolean {
    const state = workStateOf(item);
    this.#touch(state);
    return state.revoke();
  }

  /**
   * Answers false if the item is idle.
   *
   * Waits: until the runs that are pending or in progress at this moment are over; for ever if one
   * of them is the caller's own.
   */
  flush(item: WorkItem, task: Task): Awaitable<boolean> {
    this.#assertMayWait(item, task);
    this.scheduler.lockWatcher?.awaits(item, task);
    const state = workStateOf(item);
    const turn = this.scheduler.mayPreempt(task, state.access);
    if (turn === undefined && state.isIdle) return false;
    return this.#flush(state, task, turn);
  }

  /**
   * Makes the item idle, and keeps it from being queued until then; answers whether it was pending.
   *
   * Waits: until the run in progress is over.
   */
  cancelSync(item: WorkItem, task: Task): Awaitable<boolean> {
    this.#assertMayWait(item, task);
    this.scheduler.lockWatcher?.awaits(item, task);
    const state = workStateOf(item);
    const turn = this.scheduler.mayPreempt(task, state.access);
    if (turn === undefined && state.worker === null) return state.revoke();
    return this.#cancelSync(state, task, turn);
  }

  /**
   * Lets the queue run empty; what others than its own work queue meanwhile is dropped, and stays
   * pending for ever.
   *
   * Waits: until nothing is queued or runs. Delayed items are not waited for.
   */
  drain(task: Task): Awaitable<void> {
    this.#assertMayWait(this, task);
    const turn = this.scheduler.mayPreempt(task, this.#take);
    if (turn === undefined && this.#isIdle) return undefined;
    return this.#drain(task, turn);
  }

  /** Drains the queue for good: to queue on it afterwards is an invariant violation. */
  async destroy(task: Task): Promise<void> {
    this.#drainerCount += 1;
    await this.drain(task);
    this.#isDestroyed = true;
  }

  get #isOrdered(): boolean {
    return this.#maxActive === 1;
  }

  get #isIdle(): boolean {
    return this.#pending.length === 0 && this.#activeCount === 0;
  }

  get #canStartItem(): boolean {
    return this.#activeCount < this.#maxActive && this.#pending.some((item) => !item.isRunning);
  }

  #touch(state: WorkState): void {
    this.scheduler.touch(state.access);
    this.scheduler.touch(this.#add);
  }

  #assertMayWait(what: Waitable, task: Task): void {
    assertMaySleep(task, what.label);
    if (this.reclaimGuaranteed || !reclaimWorkers.has(task)) return;
    this.scheduler.warn(
      `${task.name}, which reclaim depends on, waits for ${what.label} of ${this.label}, which may find no worker`,
    );
  }

  #createClient(): WorkerClient {
    const needsWorker = (): boolean => !this.#isStarting && this.#canStartItem;
    const hasFreeRescuer = (): boolean => this.reclaimGuaranteed && this.#rescuer === null;
    return {
      scheduler: this.scheduler,
      get needsWorker() {
        return needsWorker();
      },
      get hasFreeRescuer() {
        return hasFreeRescuer();
      },
      startWorker: () => this.#startWorker(),
      callRescuer: () => {
        if (hasFreeRescuer()) this.#startRescuer();
      },
    };
  }

  #placeOf(item: WorkItem): WorkPlace {
    return {
      on: this,
      remove: () => {
        const index = this.#pending.indexOf(item);
        if (index >= 0) this.#pending.splice(index, 1);
        this.#wakeIfIdle();
      },
    };
  }

  #accept(item: WorkItem, state: WorkState, task?: Task): void {
    if (this.#drainerCount > 0 && !this.#isOwnWork(state, task)) {
      this.scheduler.warn(`${item.label} dropped: ${this.label} is being drained`);
      return;
    }
    this.#pending.push(item);
    this.#requestWorker();
  }

  #isOwnWork(state: WorkState, task: Task | undefined): boolean {
    const worker = task ?? state.worker;
    return worker !== null && (this.#workers.has(worker) || worker === this.#rescuer);
  }

  #requestWorker(): void {
    if (this.#client.needsWorker) this.#pool.request(this.#client);
  }

  #startWorker(): Task {
    this.#isStarting = true;
    const worker = this.scheduler.spawn(`worker of ${this.#name}`, async (task) => {
      try {
        await this.#work(task);
      } finally {
        this.#workers.delete(task);
        this.#pool.release(task);
        this.#requestWorker();
      }
    });
    this.#workers.add(worker);
    if (this.reclaimGuaranteed) reclaimWorkers.add(worker);
    return worker;
  }

  #startRescuer(): void {
    this.#rescuer = this.scheduler.spawn(`rescuer of ${this.#name}`, async (task) => {
      try {
        await this.#work(task);
      } finally {
        this.#rescuer = null;
      }
    });
    reclaimWorkers.add(this.#rescuer);
  }

  async #work(task: Task): Promise<void> {
    for (;;) {
      const turn = this.scheduler.mayPreempt(task, this.#take);
      if (turn !== undefined) await turn;
      const item = this.#takeItem(task);
      if (item === null) return;
      try {
        await this.#runItem(item, task);
      } finally {
        // Whoever drains the queue looks at what is active, and so does who takes the next item.
        this.scheduler.touch(this.#finish);
        this.#activeCount -= 1;
        this.#wakeIfIdle();
      }
    }
  }

  #takeItem(task: Task): WorkItem | null {
    if (task !== this.#rescuer) this.#isStarting = false;
    if (this.#activeCount >= this.#maxActive) return null;
    const index = this.#pending.findIndex((item) => !item.isRunning);
    const [item] = index < 0 ? [] : this.#pending.splice(index, 1);
    if (item === undefined) return null;
    this.#activeCount += 1;
    // This worker may sleep in its item, so another one stands by for the next.
    this.#requestWorker();
    return item;
  }

  async #runItem(item: WorkItem, task: Task): Promise<void> {
    const state = workStateOf(item);
    if (!this.#isOrdered) {
      const instance = state.pendingInstance;
      const turn = this.scheduler.mayPreempt(task, state.access);
      if (turn !== undefined) await turn;
      if (instance !== state.pendingInstance) return;
    }
    assertNothingParked(task);
    state.begin(task);
    this.scheduler.lockWatcher?.acquires(item, task, LockMode.Try);
    try {
      const running = item.run(task);
      if (isPending(running)) await running;
      assertNothingParked(task);
    } finally {
      this.scheduler.lockWatcher?.releases(item, task);
      this.#endItem(state);
    }
  }

  #endItem(state: WorkState): void {
    state.end();
    // Queued elsewhere while it ran here, it could not start there; here this worker looks again.
    const on = state.place?.on;
    if (on instanceof WorkQueue && on !== this) on.#requestWorker();
  }

  #wakeIfIdle(): void {
    if (this.#isIdle) this.#idle.wakeAll();
  }

  async #flush(state: WorkState, task: Task, turn: Promise<void> | undefined): Promise<boolean> {
    if (turn !== undefined) await turn;
    if (state.isIdle) return false;
    await state.untilOver(task);
    return true;
  }

  async #cancelSync(
    state: WorkState,
    task: Task,
    turn: Promise<void> | undefined,
  ): Promise<boolean> {
    if (turn !== undefined) await turn;
    this.scheduler.touch(this.#add);
    const wasPending = state.revoke();
    state.cancelerCount += 1;
    try {
      await state.untilNotRunning(task);
    } finally {
      state.cancelerCount -= 1;
    }
    return wasPending;
  }

  async #drain(task: Task, turn: Promise<void> | undefined): Promise<void> {
    if (turn !== undefined) await turn;
    this.#drainerCount += 1;
    try {
      await this.#idle.waitUntil(task, () => this.#isIdle);
    } finally {
      this.#drainerCount -= 1;
    }
  }
}
