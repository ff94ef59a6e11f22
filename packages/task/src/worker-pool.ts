import type { Scheduler, TimerHandle, TimerSource } from "./scheduler.ts";
import type { Task } from "./task.ts";
import type { Waitable } from "./waitable.ts";

/** How long work waits for a worker before its queue's rescuer is called. */
const FIRST_RESCUE_MS = 10;
/** How often after that, and how often the creation of a worker is tried again. */
const NEXT_RESCUE_MS = 100;

/** Workers that have nothing to do and are kept, so that the next item needs no memory. */
const IDLE_WORKERS_MAX = 1;

export interface WorkerPoolOptions {
  /** Whether there is memory for one more worker; always, unless told. Must not sleep. */
  readonly canCreateWorker?: () => boolean;
}

/** A work queue, as its pool sees it. */
export interface WorkerClient {
  readonly scheduler: Scheduler;
  /** Whether an item could start now if there were a worker. */
  readonly needsWorker: boolean;
  /** Whether a rescuer is there to be called and has nothing to do yet. */
  readonly hasFreeRescuer: boolean;
  startWorker(): Task;
  callRescuer(): void;
}

/**
 * The workers that several work queues share. Creating one needs memory; as long as there is none,
 * queues wait, and those with the reclaim guarantee have their rescuers called.
 */
export class WorkerPool implements Waitable {
  readonly label: string = "worker pool";
  readonly #canCreateWorker: () => boolean;
  readonly #busy = new Set<Task>();
  readonly #starving = new Map<WorkerClient, Starvation>();
  #idleCount = 0;

  constructor({ canCreateWorker = () => true }: WorkerPoolOptions = {}) {
    this.#canCreateWorker = canCreateWorker;
  }

  /** The busy workers: each serves whoever starves when it is done. */
  blockers(): readonly object[] {
    return [...this.#busy];
  }

  /** For work queues: starts a worker now, or as soon as there is one. Waits: never. */
  request(client: WorkerClient): void {
    if (this.#starving.has(client) || this.#serve(client)) return;
    this.#starving.set(client, new Starvation(client, () => this.#settle(client)));
  }

  /** For work queues: the worker has nothing left to do. Waits: never. */
  release(worker: Task): void {
    this.#busy.delete(worker);
    this.#idleCount += 1;
    for (const client of this.#starving.keys()) {
      if (this.#idleCount === 0) return;
      this.#settle(client);
    }
    this.#idleCount = Math.min(this.#idleCount, IDLE_WORKERS_MAX);
  }

  /** Whether the client waits for a worker. */
  isStarving(client: WorkerClient): boolean {
    return this.#starving.has(client);
  }

  #settle(client: WorkerClient): boolean {
    if (!this.#serve(client)) return false;
    this.#starving.get(client)?.end();
    this.#starving.delete(client);
    return true;
  }

  /** Starts a worker if one is needed; false if there is none. */
  #serve(client: WorkerClient): boolean {
    if (!client.needsWorker) return true;
    if (this.#idleCount > 0) this.#idleCount -= 1;
    else if (!this.#canCreateWorker()) return false;
    this.#busy.add(client.startWorker());
    return true;
  }
}

/** One queue without a worker: asks the pool again and again, and calls the queue's rescuer. */
class Starvation implements TimerSource {
  readonly label: string = "worker creation";
  readonly #client: WorkerClient;
  readonly #settle: () => boolean;
  #timer: TimerHandle;

  constructor(client: WorkerClient, settle: () => boolean) {
    this.#client = client;
    this.#settle = settle;
    this.#timer = client.scheduler.startTimer(this, FIRST_RESCUE_MS);
  }

  /** Only a rescuer brings what memory does not. */
  get isRetry(): boolean {
    return !this.#client.hasFreeRescuer;
  }

  blockers(): readonly object[] {
    return [];
  }

  end(): void {
    this.#timer.cancel();
  }

  fire(): void {
    if (this.#settle()) return;
    this.#client.callRescuer();
    this.#timer = this.#client.scheduler.startTimer(this, NEXT_RESCUE_MS);
  }
}
