import type { Bio } from "@blkstack/bio";
import type { Awaitable, Mutex, Task } from "@blkstack/task";

/** The clones of one table, to whoever takes several of them for one bio. */
export interface CloneSource {
  /** One for each mapped device; nobody else takes it. */
  readonly lock: Mutex;
  /** Null: not yet, ask again. Waits: for a clone. */
  alloc(task: Task): Awaitable<Bio | null>;
  /**
   * Hands those that this task has parked to a thread that submits them, which a wait for clones does
   * by itself. Waits: for its turn to run only.
   */
  rescueParked(task: Task): Awaitable<void>;
}

/**
 * How a bio that goes to several places at once gets its clones when they are not all there for the
 * asking. Whoever waits with some of them keeps them from others, who may be waiting with the rest.
 */
export interface FanOutPolicy {
  readonly name: string;
  /** How many clones to have in reserve, where one bio may need `most` at once. */
  reserve(poolSize: number, most: number): number;
  /** All `count` of them. Waits: until there are. */
  allocAll(clones: CloneSource, count: number, task: Task): Promise<Bio[]>;
}

/**
 * One at a time waits with some of its clones, and the reserve has as many as it needs: what it
 * lacks is in bios on their way, which end. So before anybody waits for the lock, what an earlier
 * target of the same flush has been given is sent on its way, too.
 */
export const wholeSets: FanOutPolicy = {
  name: "whole-sets",
  reserve: (poolSize, most) => Math.max(poolSize, most),
  async allocAll(clones, count, task) {
    await clones.rescueParked(task);
    await clones.lock.lock(task);
    const taken = await takeOneByOne(clones, count, task);
    clones.lock.unlock(task);
    return taken;
  },
};

/** Everybody takes what there is, and waits for the rest. Until Linux 4.13. */
export const oneByOne: FanOutPolicy = {
  name: "one-by-one",
  reserve: (poolSize, most) => Math.max(poolSize, most),
  allocAll: takeOneByOne,
};

async function takeOneByOne(clones: CloneSource, count: number, task: Task): Promise<Bio[]> {
  const taken: Bio[] = [];
  while (taken.length < count) {
    const clone = await clones.alloc(task);
    if (clone !== null) taken.push(clone);
  }
  return taken;
}
