import {
  type Gfp,
  GfpBit,
  type InterruptSource,
  LockMode,
  mayWait,
  RwSemaphore,
  type Task,
  type Waitable,
  type WatchedLock,
} from "@blkstack/task";
import { ExploredTask } from "../actor.ts";
import { Xorshift } from "../strategy.ts";
import type { RunView, Vocabulary } from "../vocabulary.ts";
import { HeldLocks } from "./held-locks.ts";
import { LockNodes, NodeKind } from "./lock-nodes.ts";
import { LockOrder, type Place } from "./lock-order.ts";
import { awaitedEnd, keptBackBy } from "./parked-bios.ts";
import { Reserves } from "./reserves.ts";
import type { RunLockWatcher } from "./run-lock-watcher.ts";

/** How far a reclaim may go. Who may do more may do all of the less. */
const RECLAIMS: readonly WatchedLock[] = [
  { label: "reclaim without I/O", lockClass: null },
  { label: "reclaim with I/O", lockClass: null },
  { label: "reclaim with I/O and filesystems", lockClass: null },
];
/** Reclaim with I/O submits, from the whole of the way down. */
const SUBMITTING_LEVEL = 1;
const NO_TASK = -1;
/** Every one of the first runs is learnt from, and of those that follow a part, drawn. */
const LEARN_ALL_RUNS = 1_000;
const LEARN_ONE_OF = 4;

/**
 * Learns the order of locks from all runs of a search, whether or not they went wrong: what was
 * held while what was asked for. Reclaim, the way down of a bio and the handler of an interrupt
 * count as locks: what is taken inside of them is asked for by whoever starts them.
 */
export class Lockdep implements RunLockWatcher {
  readonly nodes: LockNodes = new LockNodes();
  readonly order: LockOrder = new LockOrder(this.nodes);
  readonly reserves: Reserves;
  readonly #held: HeldLocks[] = [];
  readonly #heldInInterrupt = new HeldLocks();
  readonly #reclaims: readonly number[];
  readonly #submission: number;
  #interrupt: InterruptSource | null = null;
  readonly #random = new Xorshift(1);
  #run = 0;
  /** Whether what is seen is kept; off in runs that are made to see whether it comes true. */
  isLearning = true;

  constructor(vocabularies: readonly Vocabulary[] = []) {
    this.reserves = new Reserves(vocabularies);
    this.#reclaims = RECLAIMS.map(({ label }) => this.nodes.special(label, NodeKind.Reclaim));
    this.#submission = this.nodes.special("submission of bios", NodeKind.Submission);
    const writesOut: Place = { actor: "reclaim", step: "write pages out", run: 0 };
    for (const reclaim of this.#reclaims.slice(SUBMITTING_LEVEL)) {
      const seen = { from: reclaim, to: this.#submission, modes: 0, taskId: NO_TASK };
      this.order.see(seen, [], writesOut);
    }
  }

  /** To be asked before each run of the search: whether that run is one to learn from. */
  wantsNextRun(): boolean {
    this.#run += 1;
    return this.#run <= LEARN_ALL_RUNS || this.#random.below(LEARN_ONE_OF) === 0;
  }

  /** Forgets who holds what, and nothing else. */
  beginRun(view: RunView): void {
    for (const held of this.#held) held.clear();
    this.#heldInInterrupt.clear();
    this.#interrupt = null;
    this.reserves.beginRun(view, this.#run);
  }

  /** What the task holds, or waits for. */
  heldBy(task: Task): HeldLocks {
    const known = this.#held[task.id];
    if (known !== undefined) return known;
    while (this.#held.length <= task.id) this.#held.push(new HeldLocks());
    return this.heldBy(task);
  }

  acquires(lock: WatchedLock, task: Task, mode: LockMode): void {
    const held = task.scheduler.inInterrupt ? this.#heldInHandler() : this.heldBy(task);
    if ((mode & LockMode.Try) === 0) {
      if (held.count > 0 || task.bioLists !== null)
        this.#learn(held, task, { lock, mode, step: null });
      if (mode === 0 && this.isLearning && lock instanceof RwSemaphore)
        this.order.wrote(this.nodes.of(lock));
    }
    held.push(lock, mode);
  }

  releases(lock: WatchedLock, task: Task): void {
    if (task.scheduler.inInterrupt) this.#heldInInterrupt.remove(lock);
    else this.heldBy(task).remove(lock);
  }

  awaits(lock: WatchedLock, task: Task): void {
    const held = this.heldBy(task);
    if (held.count > 0) this.#learn(held, task, { lock, mode: 0, step: null });
  }

  allocates(task: Task, gfp: Gfp, site: string, pool: object | null): void {
    if (!mayWait(gfp) || task.scheduler.inInterrupt) return;
    const held = this.heldBy(task);
    if (pool !== null && this.isLearning) this.reserves.asked(pool, task, site);
    if (held.count === 0 && task.bioLists === null) return;
    // Who reclaims does not reclaim for that.
    if (this.#reclaims.some((reclaim) => held.holdsNode(reclaim, this.nodes))) return;
    if (pool !== null) this.#learnWait(held, task, site);
    for (let level = levelOf(gfp); level >= 0; level -= 1) {
      const lock = RECLAIMS[level];
      if (lock === undefined) continue;
      this.#learn(held, task, { lock, mode: 0, step: `alloc from ${site}` });
    }
  }

  entersReclaim(task: Task, gfp: Gfp): void {
    const reclaim = RECLAIMS[levelOf(gfp)];
    if (reclaim !== undefined) this.heldBy(task).push(reclaim, 0);
  }

  leavesReclaim(task: Task): void {
    const held = this.heldBy(task);
    for (const reclaim of RECLAIMS) held.remove(reclaim);
  }

  takes(pool: object, element: object, task: Task): void {
    this.reserves.taken(pool, element, task);
  }

  givesBack(pool: object, element: object): void {
    this.reserves.givenBack(pool, element);
  }

  sleeps(task: Task, on: Waitable): void {
    const held = this.heldBy(task);
    if (held.count === 0 || !this.isLearning) return;
    const end = awaitedEnd(on);
    if (end !== null) this.#learnWait(held, task, end);
  }

  raised(source: InterruptSource, by: Task | null): void {
    if (!this.isLearning) return;
    const held = by === null ? this.#heldInInterrupt : this.heldBy(by);
    if (held.count === 0) return;
    const to = this.nodes.special(handlerLabel(source), NodeKind.Interrupt);
    const taskId = by?.id ?? NO_TASK;
    const place = {
      actor: by?.name ?? "an interrupt",
      step: `raise ${source.label}`,
      run: this.#run,
    };
    for (let index = 0; index < held.count; index += 1) {
      const from = held.node(index, this.nodes);
      this.order.see({ from, to, modes: 0, taskId }, held.guards(index, this.nodes), place);
    }
  }

  interruptBegins(source: InterruptSource | null): void {
    this.#interrupt = source;
    this.#heldInInterrupt.clear();
  }

  /** The handler itself counts as held only when it takes something. */
  #heldInHandler(): HeldLocks {
    const held = this.#heldInInterrupt;
    if (held.count === 0 && this.#interrupt !== null) {
      const label = handlerLabel(this.#interrupt);
      this.nodes.special(label, NodeKind.Interrupt);
      held.push({ label, lockClass: null }, 0);
    }
    return held;
  }

  /** What is waited for is what parked bios keep back. */
  #learnWait(held: HeldLocks, task: Task, label: string): void {
    this.nodes.special(label, NodeKind.ParkedBio);
    const lock = { label, lockClass: null };
    this.#learn(held, task, { lock, mode: 0, step: `wait for ${label}` });
  }

  #learn(held: HeldLocks, task: Task, { lock, mode, step }: Asked): void {
    if (!this.isLearning) return;
    const { nodes } = this;
    const to = nodes.of(lock);
    const wanted = (mode & LockMode.Shared) === 0 ? 0 : 1;
    for (let index = 0; index < held.count; index += 1) {
      // Who wants alone what it has already will never get it, and no order is to blame.
      if (held.isLock(index, lock) && wanted === 0) continue;
      const from = held.node(index, nodes);
      const modes = held.isShared(index) ? wanted | 2 : wanted;
      if (!this.order.mayLearn(from, to, modes, task.id)) continue;
      const seen = { from, to, modes, taskId: task.id };
      this.order.see(
        seen,
        held.guards(index, nodes),
        this.#place(task, step ?? stepOf(task, lock)),
      );
    }
    if (task.bioLists === null || task.scheduler.inInterrupt) return;
    this.#learnFrom(this.#submission, to, task, wanted);
    if (nodes.kindOf(to) !== NodeKind.Lock || task.bioLists.isEmpty) return;
    for (const label of keptBackBy(task)) {
      this.#learnFrom(nodes.special(label, NodeKind.ParkedBio), to, task, wanted);
    }
  }

  /** `from` is no lock, but in force while the task waits. */
  #learnFrom(from: number, to: number, task: Task, wanted: number): void {
    if (!this.order.mayLearn(from, to, wanted, task.id)) return;
    const seen = { from, to, modes: wanted, taskId: task.id };
    const step = task instanceof ExploredTask ? task.access.label : this.nodes.labelOf(to);
    this.order.see(seen, [], this.#place(task, step));
  }

  #place(task: Task, step: string): Place {
    return { actor: this.#nameOf(task), step, run: this.#run };
  }

  #nameOf(task: Task): string {
    const { inInterrupt } = task.scheduler;
    return inInterrupt && this.#interrupt !== null ? handlerLabel(this.#interrupt) : task.name;
  }
}

/** What somebody is about to wait for. */
interface Asked {
  readonly lock: WatchedLock;
  readonly mode: LockMode;
  /** Null: as the task has announced it. */
  readonly step: string | null;
}

function handlerLabel({ label }: InterruptSource): string {
  return `interrupt of ${label}`;
}

function levelOf(gfp: Gfp): number {
  if ((gfp & GfpBit.Fs) !== 0) return 2;
  return (gfp & GfpBit.Io) !== 0 ? 1 : 0;
}

function stepOf(task: Task, lock: WatchedLock): string {
  const { object, label } = task instanceof ExploredTask ? task.access : NO_ACCESS;
  return object === lock ? label : `take ${lock.label}`;
}

const NO_ACCESS = { object: null, label: "" };
