import { type Bio, invariant } from "@blkstack/bio";
import type { Submitter } from "@blkstack/block";
import {
  type Access,
  AccessMode,
  type Awaitable,
  isPending,
  type Scheduler,
  type Spinlock,
  type Task,
  WorkItem,
  WorkQueue,
} from "@blkstack/task";
import type { Accounting } from "./accounting.ts";
import { chargeOf } from "./charge.ts";
import type { ControlGroups } from "./control-groups.ts";
import { GroupHeap } from "./group-heap.ts";
import type { HeldBio } from "./held-bios.ts";
import type { Lane, ThrottleGroup } from "./throttle-group.ts";
import type { ThrottlePort } from "./throttle-port.ts";

/** In one go a group may send so many, and all together no more than a round. */
const READS_PER_TURN = 6;
const WRITES_PER_TURN = 2;
const ROUND_MAX = 32;

/** Who takes turns within a group. */
export type Fairness = "arrival" | "tasks" | "ports";

/** What the dispatcher needs to know of the whole. */
export interface DispatcherOptions {
  readonly scheduler: Scheduler;
  readonly nests: boolean;
  readonly fairness: Fairness;
  readonly submitter: Submitter;
  readonly accounting: Accounting;
  readonly lock: Spinlock;
  readonly controls: ControlGroups;
}

/** What goes in one go. */
interface Round {
  readonly nowMs: number;
  readonly task: Task;
  readonly gone: HeldBio[];
}

/** Decides which bios wait, keeps those, and sends each on when it is time. */
export class Dispatcher {
  readonly #scheduler: Scheduler;
  readonly #nests: boolean;
  readonly #fairness: Fairness;
  readonly #submitter: Submitter;
  readonly #accounting: Accounting;
  readonly #lock: Spinlock;
  readonly #controls: ControlGroups;
  readonly #heap = new GroupHeap();
  readonly #queue: WorkQueue;
  readonly #work: WorkItem;
  /** When the work will run, if it is queued and not yet running. */
  #workMs = Infinity;
  #heldCount = 0;
  readonly #schedules: Access;

  constructor(options: DispatcherOptions) {
    const { scheduler, nests, fairness, submitter, accounting, lock, controls } = options;
    this.#scheduler = scheduler;
    this.#nests = nests;
    this.#fairness = fairness;
    this.#submitter = submitter;
    this.#accounting = accounting;
    this.#lock = lock;
    this.#controls = controls;
    const line = { label: "groups whose bios wait" };
    this.#schedules = { object: line, mode: AccessMode.Write, label: `schedule ${line.label}` };
    // What waits here may be what others need to get memory.
    this.#queue = new WorkQueue({ scheduler, name: "throttle", reclaimGuaranteed: true });
    this.#work = new WorkItem("dispatch of throttled bios", (task) => this.#run(task));
  }

  get heldCount(): number {
    return this.#heldCount;
  }

  /** Whether the bio is held; if not it is charged. Under the lock. */
  admit(bio: Bio, group: ThrottleGroup, port: ThrottlePort, task: Task): boolean {
    const nowMs = this.#nowMs();
    const bytes = chargeOf(bio);
    let key = this.#sourceOf(group, port, task);
    let at = group;
    for (;;) {
      const lane = at.laneOf(bio);
      const isFree = lane.held.count === 0 && lane.slice.waitMs(bytes, nowMs, false) === 0;
      if (!isFree && port.mayHold) {
        if (at === group) this.#accounting.bioHeld(group, bio, task.cpu);
        this.#hold({ bio, group, port, sinceMs: nowMs }, at, key, nowMs);
        return true;
      }
      lane.slice.charge(bytes, nowMs);
      if (at === group) this.#accounting.bioCharged(group, bio, task.cpu);
      const above = this.#above(at);
      if (above === null) break;
      key = at;
      at = above;
    }
    group.countHeld(bio, 0, task.cpu);
    return false;
  }

  /** What a group may do is something else now, from this moment on. */
  limitsChanged(group: ThrottleGroup): void {
    const nowMs = this.#nowMs();
    group.reads.slice.restart(nowMs);
    group.writes.slice.restart(nowMs);
    if (group.heapIndex >= 0) this.#place(group, nowMs);
    this.#schedule();
  }

  /** Waits: until what waited for this port has gone on. */
  async drain(port: ThrottlePort, task: Task): Promise<void> {
    const turn = this.#lock.lock(task);
    if (turn !== undefined) await turn;
    this.#controls.looks();
    const gone: HeldBio[] = [];
    for (const group of this.#heap.inOrder()) {
      for (const lane of [group.reads, group.writes]) {
        for (const held of lane.held.takeOf(port)) {
          if (held.group === group) this.#accounting.bioCharged(group, held.bio, task.cpu);
          this.#letGo(held, task);
          gone.push(held);
        }
      }
      if (group.heldCount === 0) this.#heap.remove(group);
      else this.#place(group, this.#nowMs());
    }
    this.#lock.unlock(task);
    await this.#submit(gone, task);
    // A round that took some of this port's before us may not have submitted them yet.
    await this.#queue.cancelSync(this.#work, task);
    this.#workMs = Infinity;
    this.#schedule();
  }

  /** Waits: for the round in progress. Nothing may be held. */
  async stop(task: Task): Promise<void> {
    invariant(this.#heldCount === 0, "throttle ends with bios that wait");
    await this.#queue.cancelSync(this.#work, task);
    await this.#queue.destroy(task);
  }

  #nowMs(): number {
    return Math.floor(this.#scheduler.clock.nowMs());
  }

  /** Whose turn it is when a bio goes: of the same source they go in order. */
  #sourceOf(group: ThrottleGroup, port: ThrottlePort, task: Task): object {
    if (this.#fairness === "arrival") return group;
    return this.#fairness === "tasks" ? task : port;
  }

  /** The next one to ask; null: the bio is through. */
  #above(group: ThrottleGroup): ThrottleGroup | null {
    const above = this.#nests ? group.above : null;
    // The root has no limits.
    return above?.above == null ? null : above;
  }

  #hold(held: HeldBio, at: ThrottleGroup, key: object, nowMs: number): void {
    const lane = at.laneOf(held.bio);
    held.group.get();
    this.#heldCount += 1;
    const isFirst = lane.held.count === 0;
    lane.held.push(held, key);
    if (!isFirst) return;
    this.#place(at, nowMs);
    this.#schedule();
  }

  /** When a group with bios that wait can send the first of them. */
  #place(group: ThrottleGroup, nowMs: number): void {
    const waitMs = Math.min(this.#waitMs(group.reads, nowMs), this.#waitMs(group.writes, nowMs));
    group.dispatchMs = nowMs + waitMs;
    this.#heap.place(group);
  }

  #waitMs(lane: Lane, nowMs: number): number {
    const { first } = lane.held;
    return first === undefined
      ? Infinity
      : lane.slice.waitMs(chargeOf(first.bio), nowMs, this.#nests);
  }

  /** Has the work run when the first group can send; never at an earlier time too. */
  #schedule(): void {
    if (this.#scheduler.isExploring) this.#scheduler.touch(this.#schedules);
    const { first } = this.#heap;
    const dueMs = first?.dispatchMs ?? Infinity;
    if (dueMs === this.#workMs && this.#work.isPending) return;
    this.#queue.cancelDelayed(this.#work);
    this.#workMs = dueMs;
    if (dueMs !== Infinity) {
      this.#queue.queueDelayed(this.#work, dueMs - this.#scheduler.clock.nowMs());
    }
  }

  #run(task: Task): Awaitable<void> {
    const turn = this.#lock.lock(task);
    return turn === undefined ? this.#runLocked(task) : turn.then(() => this.#runLocked(task));
  }

  #runLocked(task: Task): Awaitable<void> {
    this.#controls.looks();
    this.#workMs = Infinity;
    const round: Round = { nowMs: this.#nowMs(), task, gone: [] };
    this.#fill(round);
    this.#schedule();
    this.#lock.unlock(task);
    return this.#submit(round.gone, task);
  }

  #fill(round: Round): void {
    let moved = 0;
    while (moved < ROUND_MAX) {
      const { first } = this.#heap;
      if (first === undefined || first.dispatchMs > round.nowMs) return;
      this.#heap.remove(first);
      moved += this.#send(first, first.reads, READS_PER_TURN, round);
      moved += this.#send(first, first.writes, WRITES_PER_TURN, round);
      if (first.heldCount > 0) this.#place(first, round.nowMs);
    }
  }

  /** Sends up to `most` bios of a lane on; answers how many. */
  #send(group: ThrottleGroup, lane: Lane, most: number, round: Round): number {
    const { nowMs, task } = round;
    for (let sent = 0; sent < most; sent += 1) {
      if (lane.held.count === 0 || this.#waitMs(lane, nowMs) > 0) return sent;
      const held = lane.held.shift();
      const { startMs } = lane.slice;
      lane.slice.charge(chargeOf(held.bio), nowMs);
      if (held.group === group) this.#accounting.bioCharged(group, held.bio, task.cpu);
      const above = this.#above(group);
      if (above === null) {
        this.#letGo(held, task);
        round.gone.push(held);
      } else {
        const wait = above.laneOf(held.bio);
        // What the group above allows counts from there, if nothing was asked of it lately.
        if (wait.slice.isUsed(nowMs)) wait.slice.restartFrom(startMs, nowMs);
        wait.held.push(held, group);
        // Nobody else looks after a group that was empty.
        if (wait.held.count === 1) this.#place(above, nowMs);
      }
    }
    return most;
  }

  /** It waits no more. */
  #letGo({ bio, group, sinceMs }: HeldBio, task: Task): void {
    this.#heldCount -= 1;
    group.countHeld(bio, this.#nowMs() - sinceMs, task.cpu);
    group.put();
  }

  #submit(gone: readonly HeldBio[], task: Task): Awaitable<void> {
    for (const [index, { bio }] of gone.entries()) {
      const submitted = this.#submitter.submitBio(bio, task);
      if (isPending(submitted)) return this.#submitAfter(submitted, gone.slice(index + 1), task);
    }
  }

  async #submitAfter(
    submitted: Promise<void>,
    rest: readonly HeldBio[],
    task: Task,
  ): Promise<void> {
    await submitted;
    await this.#submit(rest, task);
  }
}
