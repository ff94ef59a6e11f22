import type { Awaitable } from "./awaitable.ts";
import { type Access, AccessMode } from "./scheduler.ts";
import type { Task } from "./task.ts";
import { WaitQueue } from "./wait-queue.ts";
import type { Waitable } from "./waitable.ts";

/** What a pending item waits for, and how it is taken away from there. */
export interface WorkPlace {
  readonly on: Waitable;
  remove(): void;
}

/** Where a work item stands: idle, pending, running, or running and pending again. */
export class WorkState {
  readonly access: Access;
  /** The worker that runs the item. */
  worker: Task | null = null;
  /** Callers of `cancelSync`; while there are any the item cannot be queued. */
  cancelerCount = 0;
  readonly #waiters: WaitQueue;
  #place: WorkPlace | null = null;
  /** Instances are numbered, so that a flush knows which it waits for; 0 is none. */
  #lastInstance = 0;
  #pendingInstance = 0;
  #runningInstance = 0;

  constructor(item: Waitable) {
    this.access = { object: item, mode: AccessMode.Write, label: item.label };
    this.#waiters = new WaitQueue(item.label, item);
  }

  get isPending(): boolean {
    return this.#pendingInstance !== 0;
  }

  get pendingInstance(): number {
    return this.#pendingInstance;
  }

  get isIdle(): boolean {
    return this.#pendingInstance === 0 && this.#runningInstance === 0;
  }

  get place(): WorkPlace | null {
    return this.#place;
  }

  blockers(): readonly object[] {
    if (this.worker !== null) return [this.worker];
    return this.#place === null ? [] : [this.#place.on];
  }

  /** Begins an instance that waits at `place`. */
  setPending(place: WorkPlace): void {
    this.#lastInstance += 1;
    this.#pendingInstance = this.#lastInstance;
    this.#place = place;
  }

  /** The instance goes on waiting elsewhere. */
  moveTo(place: WorkPlace): void {
    this.#place = place;
  }

  /** Just before the function runs: from here on the item can be queued again. */
  begin(worker: Task): void {
    this.#runningInstance = this.#pendingInstance;
    this.#pendingInstance = 0;
    this.#place = null;
    this.worker = worker;
  }

  end(): void {
    this.#runningInstance = 0;
    this.worker = null;
    this.#waiters.wakeAll();
  }

  /** Makes a pending instance never run; answers whether there was one. */
  revoke(): boolean {
    if (this.#pendingInstance === 0) return false;
    this.#place?.remove();
    this.#place = null;
    this.#pendingInstance = 0;
    this.#waiters.wakeAll();
    return true;
  }

  /** Waits: until the instances that exist now are over. */
  untilOver(task: Task): Awaitable<void> {
    const last = this.#lastInstance;
    return this.#waiters.waitUntil(
      task,
      () => !isOneOf(this.#pendingInstance, last) && !isOneOf(this.#runningInstance, last),
    );
  }

  /** Waits: while it runs. */
  untilNotRunning(task: Task): Awaitable<void> {
    return this.#waiters.waitUntil(task, () => this.worker === null);
  }
}

function isOneOf(instance: number, last: number): boolean {
  return instance !== 0 && instance <= last;
}
