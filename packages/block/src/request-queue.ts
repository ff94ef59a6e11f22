import type { Bio } from "@blkstack/bio";
import { type Awaitable, isPending, type Task, type Waitable } from "@blkstack/task";
import type { QueueLimits } from "./limits.ts";

/** What came of asking to enter a queue. */
export const EnterResult = { Entered: 0, Busy: 1, Dying: 2 } as const;
export type EnterResult = (typeof EnterResult)[keyof typeof EnterResult];

/** Takes bios off the way down to let them through later: throttling. */
export interface SubmitHook {
  /** Whether the hook took the bio. It will submit it again, and then let it pass. */
  take(bio: Bio, task: Task): boolean;
}

/** The gate in front of a device: its limits, and whether bios may pass. */
export class RequestQueue implements Waitable {
  readonly label: string;
  limits: QueueLimits;
  submitHook: SubmitHook | null = null;
  #users = 0;
  #freezeDepth = 0;
  #isDying = false;
  readonly #entering: Task[] = [];
  readonly #freezing: Task[] = [];

  constructor(deviceName: string, limits: QueueLimits) {
    this.label = `queue of ${deviceName}`;
    this.limits = limits;
  }

  get isDying(): boolean {
    return this.#isDying;
  }

  get isFrozen(): boolean {
    return this.#freezeDepth > 0;
  }

  /** Bios that are inside the driver call. */
  get users(): number {
    return this.#users;
  }

  /** Nobody in particular: whoever froze the queue is to thaw it. */
  blockers(): readonly object[] {
    return [];
  }

  /**
   * Enters for one driver call; each `Entered` is paired with `exit`.
   *
   * Waits: while the queue is frozen, unless `noWait`.
   */
  enter(task: Task, noWait: boolean): Awaitable<EnterResult> {
    if (this.#freezeDepth === 0 && !this.#isDying) {
      this.#users += 1;
      return EnterResult.Entered;
    }
    if (this.#isDying) return EnterResult.Dying;
    return noWait ? EnterResult.Busy : this.#enterWaiting(task);
  }

  exit(): void {
    this.#users -= 1;
    if (this.#users === 0) wakeAll(this.#freezing);
  }

  /** Lets nobody in any more. Nests. Waits: until those inside have left. */
  freeze(task: Task): Awaitable<void> {
    this.#freezeDepth += 1;
    if (this.#users > 0) return this.#waitEmpty(task);
  }

  unfreeze(): void {
    this.#freezeDepth -= 1;
    if (this.#freezeDepth === 0) wakeAll(this.#entering);
  }

  /** The device goes away: a freeze that is never undone, and an error for whoever waits. */
  markDying(task: Task): Awaitable<void> {
    this.#isDying = true;
    const emptied = this.freeze(task);
    wakeAll(this.#entering);
    if (isPending(emptied)) return emptied;
  }

  async #enterWaiting(task: Task): Promise<EnterResult> {
    while (this.#freezeDepth > 0 && !this.#isDying) {
      this.#entering.push(task);
      await task.scheduler.sleep(task, this);
    }
    if (this.#isDying) return EnterResult.Dying;
    this.#users += 1;
    return EnterResult.Entered;
  }

  async #waitEmpty(task: Task): Promise<void> {
    while (this.#users > 0) {
      this.#freezing.push(task);
      await task.scheduler.sleep(task, this);
    }
  }
}

function wakeAll(tasks: Task[]): void {
  for (const task of tasks.splice(0)) task.scheduler.wake(task);
}
