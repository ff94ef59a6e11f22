import { BioList, invariant } from "@blkstack/bio";
import { type GfpScope } from "./gfp.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Waitable } from "./waitable.ts";

/**
 * The bios that a task has submitted from inside a driver call and that nobody has started yet.
 * They cannot move while the task sleeps: every deadlock of stacked drivers begins here.
 */
export class BioLists {
  /** Submitted by the driver call in progress; people know it as bio_list[0]. */
  readonly current: BioList = new BioList();
  /** Submitted earlier and not yet started; bio_list[1]. */
  readonly older: BioList = new BioList();

  get isEmpty(): boolean {
    return this.current.isEmpty && this.older.isEmpty;
  }
}

/** Runs just before a task sleeps; must neither allocate nor sleep. */
export type SleepHook = (task: Task) => void;

/** One thread of control: what a kernel calls `current`. Whatever may sleep, submit or allocate takes it. */
export class Task {
  readonly name: string;
  readonly id: number;
  readonly cpu: number;
  readonly scheduler: Scheduler;

  /** Null unless the task is inside a submission. */
  bioLists: BioLists | null = null;
  /** Kept from one submission to the next, so that none allocates. */
  readonly ownBioLists: BioLists = new BioLists();
  gfpScope: GfpScope = 0;
  /** Spinlocks held plus atomic sections entered; while not 0 the task must not sleep. */
  atomicDepth = 0;
  /** What the task sleeps on. */
  waitingFor: Waitable | null = null;
  /** Registered around a driver call that wants its parked bios rescued when it sleeps. */
  sleepHook: SleepHook | null = null;

  constructor(name: string, id: number, scheduler: Scheduler, cpu = 0) {
    this.name = name;
    this.id = id;
    this.scheduler = scheduler;
    this.cpu = cpu;
  }

  get label(): string {
    return this.name;
  }

  /** The wait-for graph goes on from here. */
  blockers(): readonly object[] {
    return this.waitingFor === null ? [] : [this.waitingFor];
  }
}

/** Thrown when something that may sleep is called where sleeping is a defect. */
export class SleepInAtomicError extends Error {
  override readonly name = "SleepInAtomicError";
}

/** To be called by whatever may sleep, even on the day it need not. */
export function assertMaySleep(task: Task, what: string): void {
  // Only this is asked for each bio, so it is short enough to become part of whoever asks.
  if (task.atomicDepth > 0 || task.scheduler.inInterrupt) refuseToSleep(task, what);
}

function refuseToSleep(task: Task, what: string): never {
  const where = task.atomicDepth > 0 ? "holds a spinlock" : "is interrupted by an endIo";
  throw new SleepInAtomicError(`sleep in atomic context: ${what} while ${task.name} ${where}`);
}

/**
 * To be checked when a task ends or a work function returns: nothing may be left parked, and no
 * scope open for whoever runs next.
 */
export function assertNothingParked(task: Task): void {
  invariant(task.bioLists === null, `${task.name} left a submission without finishing it`);
  invariant(task.gfpScope === 0, `${task.name} left a noio or nofs scope without ending it`);
}
