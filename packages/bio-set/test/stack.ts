import { Bio, bioEndio, BioList, bioError, BioStatus, invariant } from "@blkstack/bio";
import {
  type BlockDevice,
  defaultLimits,
  deviceOf,
  RequestQueue,
  type Submitter,
} from "@blkstack/block";
import { Memory } from "@blkstack/memory";
import { type Awaitable, type BioLists, GFP_NOIO, type Task } from "@blkstack/task";
import { VirtualScheduler, type VirtualSchedulerOptions } from "@blkstack/task/virtual";
import { BioSet, type BioSetOptions } from "../src/bio-set.ts";

/** Longer than two of a pool's retries: whatever has not moved after it never will. */
const FOR_EVER_MS = 11_000;

/** A small way down: recursion made iteration, with the one list of old or the two of today. */
export class LoopSubmitter implements Submitter {
  readonly #lists: "single" | "two";
  /** Bios that each task has taken to a driver. */
  readonly submitted: string[] = [];

  constructor(lists: "single" | "two") {
    this.#lists = lists;
  }

  submitBio(bio: Bio, task: Task): Awaitable<void> {
    if (task.bioLists === null) return this.#loop(bio, task);
    task.bioLists.current.add(bio);
  }

  async #loop(first: Bio, task: Task): Promise<void> {
    const lists = task.ownBioLists;
    task.bioLists = lists;
    for (let bio: Bio | null = first; bio !== null; bio = lists.current.pop()) {
      const device = deviceOf(bio);
      this.submitted.push(`${task.name}: ${String(bio.private)}`);
      if (this.#lists === "two") lists.older.mergeInit(lists.current);
      await device.submitBio(bio, task);
      if (this.#lists === "two") lowerFirst(lists, device);
    }
    task.bioLists = null;
  }
}

/** Lower devices first, then the same one again, then what was there before. */
function lowerFirst(lists: BioLists, device: BlockDevice): void {
  const lower = new BioList();
  const same = new BioList();
  for (let bio = lists.current.pop(); bio !== null; bio = lists.current.pop()) {
    (bio.device === device ? same : lower).add(bio);
  }
  lists.current.mergeInit(lower);
  lists.current.mergeInit(same);
  lists.current.mergeInit(lists.older);
}

/** A device whose driver is a function. */
export class TestDevice implements BlockDevice {
  readonly name: string;
  readonly sizeSectors = 0;
  readonly isReadOnly = false;
  readonly queue: RequestQueue;
  readonly #drive: (bio: Bio, task: Task) => Awaitable<void>;

  constructor(name: string, drive: (bio: Bio, task: Task) => Awaitable<void>) {
    this.name = name;
    this.queue = new RequestQueue(name, defaultLimits());
    this.#drive = drive;
  }

  submitBio(bio: Bio, task: Task): Awaitable<void> {
    return this.#drive(bio, task);
  }
}

/** A system to be driven into a deadlock: no memory as soon as `memory.faultPlan` says so. */
export class Stack {
  readonly scheduler: VirtualScheduler;
  readonly memory: Memory;
  readonly submitter: LoopSubmitter;
  /** Completes at once. */
  readonly disk: TestDevice = new TestDevice("disk", (bio) => {
    bioEndio(bio);
  });
  readonly sets: BioSet[] = [];
  /** How the bios of `write` ended. */
  readonly ended: BioStatus[] = [];

  constructor(lists: "single" | "two", options?: VirtualSchedulerOptions) {
    this.scheduler = new VirtualScheduler(options);
    this.memory = new Memory({ scheduler: this.scheduler });
    this.submitter = new LoopSubmitter(lists);
  }

  options(name: string, poolSize: number, more: Partial<BioSetOptions> = {}): BioSetOptions {
    const { scheduler, memory, submitter } = this;
    return { name, scheduler, memory, submitter, poolSize, rescuer: true, ...more };
  }

  /** A set with a rescuer. */
  set(name: string, poolSize: number, more: Partial<BioSetOptions> = {}): BioSet {
    const set = new BioSet(this.options(name, poolSize, more));
    this.sets.push(set);
    return set;
  }

  /**
   * A driver that sends one clone of each bio to each of `lowers`, and ends it with them. Vectors
   * are allocated, not shared, where `vecCount` is told.
   */
  splitter(name: string, set: BioSet, lowers: readonly BlockDevice[], vecCount = 0): TestDevice {
    return new TestDevice(name, async (parent, task) => {
      let left = lowers.length;
      const endOne = (clone: Bio): void => {
        if (clone.status !== BioStatus.Ok) parent.status = clone.status;
        clone.put();
        left -= 1;
        if (left === 0) bioEndio(parent);
      };
      for (const [index, lower] of lowers.entries()) {
        const clone = await set.alloc(GFP_NOIO, vecCount, task);
        if (clone === null) {
          parent.status = BioStatus.Resource;
          left -= lowers.length - index;
          if (left === 0) bioEndio(parent);
          return;
        }
        clone.device = lower;
        clone.private = `${String(parent.private)}.${name}${String(index + 1)}`;
        clone.endIo = endOne;
        await this.submitter.submitBio(clone, task);
      }
    });
  }

  /** Starts a task that submits one bio to `device`. */
  write(device: BlockDevice, name = "writer"): Task {
    return this.scheduler.spawn(name, (task) => {
      const bio = new Bio();
      bio.device = device;
      bio.private = name;
      bio.endIo = ({ status }) => this.ended.push(status);
      return this.submitter.submitBio(bio, task);
    });
  }

  /** Runs until nothing moves any more; answers whether somebody waits for ever. */
  async isDeadlocked(): Promise<boolean> {
    await this.scheduler.advance(0);
    const before = this.#fingerprint();
    await this.scheduler.advance(FOR_EVER_MS);
    if (this.scheduler.sleepers().length === 0) return false;
    if (this.#fingerprint() === before) return true;
    return this.isDeadlocked();
  }

  /** Whether all bios came back and nothing is parked anywhere. */
  assertQuiet(): void {
    for (const set of this.sets) {
      const { bioPool, bvecPool, rescueList } = set;
      invariant(bioPool.liveCount === 0, `${set.label} lost a bio`);
      invariant(bioPool.currNr === bioPool.minNr, `${set.label} lost its reserve`);
      invariant(rescueList?.isEmpty !== false, `${set.label} left a bio on its rescue list`);
      if (bvecPool === null) continue;
      invariant(bvecPool.pool.currNr === bvecPool.pool.minNr, `${set.label} lost vectors`);
    }
  }

  #fingerprint(): string {
    return JSON.stringify([
      this.ended,
      this.submitter.submitted,
      this.sets.map(({ bioPool, rescueList }) => [bioPool.currNr, rescueList?.size]),
    ]);
  }
}

/** A bio that ends with an error wherever it is submitted to. */
export const brokenDisk: TestDevice = new TestDevice("broken disk", (bio) => {
  bioError(bio, BioStatus.IoError);
});
