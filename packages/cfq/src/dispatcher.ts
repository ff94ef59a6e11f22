import { type Bio, invariant } from "@blkstack/bio";
import type { BlockDevice, Submitter } from "@blkstack/block";
import {
  type Access,
  AccessMode,
  type Awaitable,
  isPending,
  type Scheduler,
  type Task,
  Timer,
  type Waitable,
  WaitQueue,
  WorkItem,
  WorkQueue,
} from "@blkstack/task";
import { type ClientQueue, NO_TIME } from "./client-queue.ts";
import { DispatchSlot, type SlotOwner } from "./dispatch-slot.ts";
import { GroupService } from "./group-service.ts";
import type { GroupShare } from "./group-share.ts";
import type { Jiffies, Timing } from "./timing.ts";
import { type ChargePolicy, Turn } from "./turn.ts";

export interface DispatcherOptions {
  readonly name: string;
  readonly scheduler: Scheduler;
  readonly submitter: Submitter;
  readonly device: BlockDevice;
  /** Bios that the device may have at a time. */
  readonly depth: number;
  readonly timing: Timing;
  readonly charge: ChargePolicy;
}

/**
 * Lets bios through to a device, so many at a time, one queue after the other.
 *
 * A queue that has its turn and nobody before it is not in the way of its own bios: they go on in
 * the call that brings them. All others wait, and a worker sends them when a place is free: to
 * submit may wait, which the end of a bio must not.
 */
export class Dispatcher implements SlotOwner, Waitable {
  readonly label: string;
  readonly #scheduler: Scheduler;
  readonly #submitter: Submitter;
  readonly #timing: Timing;
  readonly #service: GroupService;
  readonly #slots: readonly DispatchSlot[];
  readonly #free: DispatchSlot[];
  readonly #turn: Turn;
  readonly #workQueue: WorkQueue;
  readonly #work: WorkItem;
  readonly #timer: Timer;
  /** When the timer fires. */
  #armedFor: Jiffies = Infinity;
  readonly #quiet: WaitQueue;
  readonly #change: Access;
  /** Bios that wait, of all queues. */
  #queued = 0;
  /** Queues that have bios, or their turn. */
  #busy = 0;

  constructor({ name, scheduler, submitter, device, depth, timing, charge }: DispatcherOptions) {
    this.label = `cfq of ${name}`;
    this.#scheduler = scheduler;
    this.#submitter = submitter;
    this.#timing = timing;
    this.#service = new GroupService(timing.behindLast);
    this.#turn = new Turn(timing.idleWindow, charge);
    this.#slots = Array.from({ length: depth }, () => new DispatchSlot(this, device));
    this.#free = [...this.#slots];
    this.#workQueue = new WorkQueue({
      scheduler,
      name: this.label,
      // Memory may depend on what waits here.
      reclaimGuaranteed: true,
      maxActive: 1,
    });
    this.#work = new WorkItem(this.label, (task) => this.#sendWaiting(task));
    this.#timer = new Timer(scheduler, `turn of ${this.label}`, () => {
      this.#armedFor = Infinity;
      this.#poke();
    });
    this.#quiet = new WaitQueue(`bios of ${this.label} to end`, {
      blockers: () => this.blockers(),
    });
    this.#change = { object: this, mode: AccessMode.Write, label: `change ${this.label}` };
  }

  get service(): GroupService {
    return this.#service;
  }

  /** Bios that wait, of all queues. */
  get queued(): number {
    return this.#queued;
  }

  /** Bios that the device has. */
  get inFlight(): number {
    return this.#slots.length - this.#free.length;
  }

  /** The bios that the device has; the timer or the worker where it has none. */
  blockers(): readonly object[] {
    const bios = this.#slots.flatMap(({ bio }) => (bio === null ? [] : [bio]));
    if (bios.length > 0) return bios;
    return this.#timer.isArmed ? [this.#timer] : [this.#work];
  }

  /**
   * Takes a bio of a queue that is part of a group. The outcome comes through the bio.
   *
   * Waits: as the device must, for a bio that need not wait for its turn.
   */
  submit(bio: Bio, queue: ClientQueue, task: Task): Awaitable<void> {
    if (this.#scheduler.isExploring) {
      const preempted = this.#scheduler.mayPreempt(task, this.#change);
      if (preempted !== undefined) return this.#submitPreempted(preempted, bio, queue, task);
    }
    return this.#submit(bio, queue, task);
  }

  /** Waits: until no bio of `queue` waits or is under way; null: of no queue. */
  drain(queue: ClientQueue | null, task: Task): Awaitable<void> {
    return this.#quiet.waitUntil(task, () =>
      queue === null ? this.#queued + this.inFlight === 0 : queue.queued + queue.inFlight === 0,
    );
  }

  /** A queue that was drained goes away, and need not be waited for. Waits: never. */
  release(queue: ClientQueue): void {
    this.#touch();
    invariant(queue.queued + queue.inFlight === 0, `${queue.label} goes, and has bios`);
    if (this.#turn.queue === queue) this.#endTurn(queue, this.#timing.now());
    this.#poke();
  }

  /** Nothing may wait or be under way. Waits: for the worker. */
  async destroy(task: Task): Promise<void> {
    invariant(this.#queued + this.inFlight === 0, `${this.label} goes, and has bios`);
    this.#timer.cancel();
    await this.#workQueue.destroy(task);
  }

  slotEnded(slot: DispatchSlot, queue: ClientQueue): void {
    this.#touch();
    this.#free.push(slot);
    queue.inFlight -= 1;
    const isQuiet = queue.queued + queue.inFlight === 0;
    if (this.#turn.queue === queue) this.#turn.bioEnded();
    if (isQuiet) queue.emptySince = this.#timing.now();
    if (this.#queued > 0) this.#poke();
    if (isQuiet && !this.#quiet.isEmpty) this.#quiet.wakeAll();
  }

  async #submitPreempted(
    preempted: Promise<void>,
    bio: Bio,
    queue: ClientQueue,
    task: Task,
  ): Promise<void> {
    await preempted;
    const submitted = this.#submit(bio, queue, task);
    if (isPending(submitted)) await submitted;
  }

  #submit(bio: Bio, queue: ClientQueue, task: Task): Awaitable<void> {
    if (queue.emptySince !== NO_TIME) this.#comeBack(queue);
    if (this.#mayPass(queue)) return this.#send(bio, queue, task);
    queue.bios.add(bio);
    queue.queued += 1;
    shareOf(queue).queued += 1;
    this.#queued += 1;
    if (!queue.isBusy) {
      this.#makeBusy(queue);
      shareOf(queue).addQueue(queue);
    }
    this.#poke();
  }

  /** Whether a bio may go on at once; then its queue has its turn. */
  #mayPass(queue: ClientQueue): boolean {
    if (this.#free.length === 0 || queue.queued > 0) return false;
    const turn = this.#turn;
    if (turn.queue === queue) {
      // Nobody else: no need for the clock, which would cost more than all the rest.
      if (this.#busy > 1 && this.#timing.now() >= turn.sliceEnd) return false;
      return true;
    }
    if (this.#busy > 0) return false;
    this.#makeBusy(queue);
    this.#service.select();
    this.#begin(queue, this.#timing.now());
    return true;
  }

  /** A bio comes to a queue that had none. How long its client thought matters if others waited. */
  #comeBack(queue: ClientQueue): void {
    const isAlone = this.#busy === 1 && this.#turn.queue === queue;
    if (!isAlone) queue.thoughtUntil(this.#timing.now(), 2 * this.#timing.idleWindow);
    queue.emptySince = NO_TIME;
  }

  #makeBusy(queue: ClientQueue): void {
    queue.isBusy = true;
    if (this.#busy === 1 && this.#turn.queue !== null) this.#turn.othersCame(this.#timing.now());
    this.#busy += 1;
    this.#service.activate(shareOf(queue), queue.isSync);
  }

  #send(bio: Bio, queue: ClientQueue, task: Task): Awaitable<void> {
    const slot = this.#free.pop();
    const { group } = queue;
    if (slot === undefined || group === null) invariant(false, `${queue.label} has no place`);
    queue.inFlight += 1;
    group.countIo(bio, task.cpu);
    return this.#submitter.submitBio(slot.take(bio, queue), task);
  }

  #sendWaiting(task: Task): Awaitable<void> {
    for (let queue = this.#next(); queue !== null; queue = this.#next()) {
      const sent = this.#sendFirst(queue, task);
      if (isPending(sent)) return this.#sendWaitingAfter(sent, task);
    }
  }

  async #sendWaitingAfter(sent: Promise<void>, task: Task): Promise<void> {
    await sent;
    await this.#sendWaiting(task);
  }

  #sendFirst(queue: ClientQueue, task: Task): Awaitable<void> {
    const bio = queue.bios.pop();
    if (bio === null) invariant(false, `${queue.label} has no bio to send`);
    queue.queued -= 1;
    shareOf(queue).queued -= 1;
    this.#queued -= 1;
    return this.#send(bio, queue, task);
  }

  /** The queue whose first bio is to be sent; null: there is none, or no place, or time must pass. */
  #next(): ClientQueue | null {
    this.#touch();
    if (this.#queued === 0 || this.#free.length === 0) return null;
    const now = this.#timing.now();
    const { queue } = this.#turn;
    if (queue !== null) {
      if (queue.queued > 0) {
        if (this.#busy === 1 || now < this.#turn.sliceEnd) return queue;
      } else if (this.#isWaitedFor(queue, now)) return null;
      this.#endTurn(queue, now);
    }
    return this.#beginTurn(now);
  }

  /** Whether the queue that has its turn has no bio, but time to bring one. */
  #isWaitedFor(queue: ClientQueue, now: Jiffies): boolean {
    if (queue.queued > 0) return false;
    if (!queue.isSync) return false;
    const end = this.#turn.emptyEnd(queue, shareOf(queue).busyQueues === 1);
    if (now >= end) return false;
    if (end < this.#armedFor) {
      this.#armedFor = end;
      this.#timer.arm(this.#timing.msOf(end - now));
    }
    return true;
  }

  #endTurn(queue: ClientQueue, now: Jiffies): void {
    const share = shareOf(queue);
    const isAsyncOnly = !queue.isSync && share.busySyncQueues === 0;
    this.#service.charge(share, this.#turn.chargeAt(now, isAsyncOnly));
    this.#turn.end();
    if (queue.queued > 0) {
      share.addQueue(queue);
      return;
    }
    queue.isBusy = false;
    this.#busy -= 1;
    this.#service.deactivate(share, queue.isSync);
  }

  #beginTurn(now: Jiffies): ClientQueue | null {
    const queue = this.#service.select()?.takeQueue() ?? null;
    if (queue !== null) this.#begin(queue, now);
    return queue;
  }

  #begin(queue: ClientQueue, now: Jiffies): void {
    const { weight, busyQueues } = shareOf(queue);
    const ofGroup = this.#timing.groupSlice(weight, this.#service.totalWeight);
    const each = Math.max(1, Math.floor(ofGroup / busyQueues));
    const base = this.#timing.baseSlice(queue.isSync, queue.priority);
    this.#turn.begin(queue, Math.min(base, each), now);
  }

  /** Has the worker look, if there may be something for it. Interrupt context too. */
  #poke(): void {
    if (this.#queued === 0 || this.#free.length === 0) return;
    const { queue } = this.#turn;
    if (queue !== null && this.#isWaitedFor(queue, this.#timing.now())) return;
    this.#workQueue.queue(this.#work);
  }

  #touch(): void {
    if (this.#scheduler.isExploring) this.#scheduler.touch(this.#change);
  }
}

function shareOf(queue: ClientQueue): GroupShare {
  const { group } = queue;
  if (group === null) invariant(false, `${queue.label} is part of no group`);
  return group.share;
}
