import { type Bio, invariant } from "@blkstack/bio";
import {
  type Access,
  AccessMode,
  type Awaitable,
  isPending,
  type Task,
  type Waitable,
} from "@blkstack/task";
import type { BioAccount } from "./bio-account.ts";
import type { QueueLimits } from "./limits.ts";
import { validateLimits } from "./validate-limits.ts";

/** What came of asking to enter a queue. */
export const EnterResult = {
  Entered: 0,
  /** Frozen, and the caller must not wait: EBUSY for the caller, `BioStatus.Again` for a bio. */
  Busy: 1,
  /** The device goes away: ENODEV for the caller, `BioStatus.IoError` for a bio. */
  Dying: 2,
} as const;
export type EnterResult = (typeof EnterResult)[keyof typeof EnterResult];

// Exported, a constant is looked up each time; this is part of the machine code.
const ENTERED = EnterResult.Entered;

/** Takes bios off the way down to let them through later: throttling. */
export interface SubmitHook {
  /**
   * Whether the hook took the bio. It will submit it again, and then let it pass. Waits: never.
   *
   * Asked once for each submission and before the bio is parked, so that a bio that was taken is on
   * no list of a task. A bio that is cut to the queue's limits was asked about as a whole.
   */
  take(bio: Bio, task: Task): boolean;
}

/**
 * The gate in front of a device: its limits, and whether bios may pass.
 *
 * A driver call happens between `enter` and `exit`. `freeze` keeps further calls out and waits for
 * those inside, and so makes it safe to change what all of them rely on: limits, a table, the
 * device's being there. It says nothing of bios that the driver took and has not ended.
 *
 * Whoever is inside and waits for another bio of the same queue keeps a freezer waiting, and the
 * freezer keeps that bio out: all three stand still for ever.
 *
 * As a `Waitable` it is what a task waits for that wants to enter.
 */
export class RequestQueue implements Waitable {
  readonly label: string;
  submitHook: SubmitHook | null = null;
  /** Counts what goes to the device; null: nobody wants to know. */
  account: BioAccount | null = null;
  readonly #deviceName: string;
  #limits: QueueLimits;
  #users = 0;
  #freezeDepth = 0;
  #isDying = false;
  /** Who froze the queue and did not thaw it yet; the earliest first. */
  readonly #frozenBy: object[] = [];
  /** Who is inside; kept only where schedules are explored. */
  readonly #inside: object[] = [];
  readonly #entering: Task[] = [];
  readonly #freezing: Task[] = [];
  readonly #drain: Waitable;
  // Entering and leaving commute with each other, and with nothing that freezes: so they are reads.
  readonly #entry: Access;
  readonly #leaving: Access;
  readonly #gate: Access;

  /** Throws `BlockError` `BLK_LIMITS` for limits that no device can have. */
  constructor(deviceName: string, limits: QueueLimits) {
    validateLimits(limits, deviceName);
    this.label = `queue of ${deviceName}`;
    this.#deviceName = deviceName;
    this.#limits = limits;
    this.#drain = {
      label: `${this.label} to drain`,
      blockers: () => [...this.#inside],
    };
    this.#entry = { object: this, mode: AccessMode.Read, label: `enter ${this.label}` };
    this.#leaving = { object: this, mode: AccessMode.Read, label: `leave ${this.label}` };
    this.#gate = { object: this, mode: AccessMode.Write, label: `freeze or thaw ${this.label}` };
  }

  /**
   * What the device takes. To give others, freeze the queue first, or be sure that no bio is on
   * its way; throws as the constructor.
   */
  get limits(): QueueLimits {
    return this.#limits;
  }

  set limits(limits: QueueLimits) {
    validateLimits(limits, this.#deviceName);
    this.#limits = limits;
  }

  get isDying(): boolean {
    return this.#isDying;
  }

  get isFrozen(): boolean {
    return this.#freezeDepth > 0;
  }

  /** Tasks that are inside a driver call. */
  get users(): number {
    return this.#users;
  }

  /** Who froze the queue, and so is to thaw it. */
  blockers(): readonly object[] {
    return [...this.#frozenBy];
  }

  /**
   * Enters for one driver call; each `Entered` is paired with `exit`.
   *
   * Waits: while the queue is frozen, unless `noWait`.
   */
  enter(task: Task, noWait: boolean): Awaitable<EnterResult> {
    if (task.scheduler.isExploring) return this.#enterExplored(task, noWait);
    if (this.#freezeDepth > 0) return this.#enterFrozen(task, noWait);
    this.#users += 1;
    return ENTERED;
  }

  /** Leaves. Tell the task that entered, so that a report can say who is inside. */
  exit(task?: Task): void {
    if (this.#users === 0) invariant(false, `${this.label} is left more often than entered`);
    this.#users -= 1;
    if (task?.scheduler.isExploring === true) this.#tellLeaving(task);
    if (this.#users === 0 && this.#freezing.length > 0) wakeAll(this.#freezing);
  }

  /**
   * Lets nobody in any more. Nests: each is undone by one `unfreeze`. `by` is who will do so, for
   * reports: the task itself, unless told.
   *
   * Waits: until those inside have left.
   */
  freeze(task: Task, by: object = task): Awaitable<void> {
    const preempted = task.scheduler.mayPreempt(task, this.#gate);
    if (preempted !== undefined) return this.#freezePreempted(preempted, task, by);
    return this.#freeze(task, by);
  }

  /** Undoes one `freeze`: the one of `by`, else the latest. Waits: never. */
  unfreeze(by?: object): void {
    invariant(
      this.#freezeDepth > (this.#isDying ? 1 : 0),
      `${this.label} is thawed more often than frozen`,
    );
    this.#freezeDepth -= 1;
    if (by === undefined) this.#frozenBy.pop();
    else forget(this.#frozenBy, by);
    if (this.#freezeDepth === 0) wakeAll(this.#entering);
  }

  /**
   * The device goes away: a freeze that is never undone, and an error for whoever waits. Once is
   * enough; again only waits.
   *
   * Waits: until those inside have left.
   */
  markDying(task: Task): Awaitable<void> {
    if (this.#isDying) return this.#users > 0 ? this.#waitEmpty(task) : undefined;
    this.#isDying = true;
    const emptied = this.#freeze(task, task);
    wakeAll(this.#entering);
    if (isPending(emptied)) return emptied;
  }

  #enterExplored(task: Task, noWait: boolean): Awaitable<EnterResult> {
    const preempted = task.scheduler.mayPreempt(task, this.#entry);
    if (preempted !== undefined) return this.#enterPreempted(preempted, task, noWait);
    return this.#enterFrozen(task, noWait);
  }

  #tellLeaving(task: Task): void {
    task.scheduler.touch(this.#leaving);
    forget(this.#inside, task);
  }

  #admit(task: Task): void {
    this.#users += 1;
    if (task.scheduler.isExploring) this.#inside.push(task);
  }

  async #enterPreempted(
    preempted: Promise<void>,
    task: Task,
    noWait: boolean,
  ): Promise<EnterResult> {
    await preempted;
    return this.#enterFrozen(task, noWait);
  }

  #enterFrozen(task: Task, noWait: boolean): Awaitable<EnterResult> {
    if (this.#isDying) return EnterResult.Dying;
    if (this.#freezeDepth === 0) {
      this.#admit(task);
      return EnterResult.Entered;
    }
    return noWait ? EnterResult.Busy : this.#enterWaiting(task);
  }

  async #enterWaiting(task: Task): Promise<EnterResult> {
    while (this.#freezeDepth > 0 && !this.#isDying) {
      this.#entering.push(task);
      await task.scheduler.sleep(task, this);
    }
    if (this.#isDying) return EnterResult.Dying;
    this.#admit(task);
    return EnterResult.Entered;
  }

  async #freezePreempted(preempted: Promise<void>, task: Task, by: object): Promise<void> {
    await preempted;
    await this.#freeze(task, by);
  }

  #freeze(task: Task, by: object): Awaitable<void> {
    this.#freezeDepth += 1;
    this.#frozenBy.push(by);
    if (this.#users > 0) return this.#waitEmpty(task);
  }

  async #waitEmpty(task: Task): Promise<void> {
    while (this.#users > 0) {
      this.#freezing.push(task);
      await task.scheduler.sleep(task, this.#drain);
    }
  }
}

function wakeAll(tasks: Task[]): void {
  for (const task of tasks.splice(0)) task.scheduler.wake(task);
}

/** Takes the latest mention of `who` off a list. */
function forget(list: object[], who: object): void {
  const index = list.lastIndexOf(who);
  if (index >= 0) list.splice(index, 1);
}
