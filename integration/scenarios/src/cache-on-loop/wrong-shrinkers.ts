import {
  fsFlag,
  type ShrinkableCache,
  type ShrinkerGeneration,
  trylockAlways,
  workQueue,
} from "@blkstack/bufio";
import { type Shrinker, SHRINK_STOP } from "@blkstack/memory";
import { type Awaitable, type Gfp, GFP_KERNEL, GfpBit, type Task } from "@blkstack/task";

/** Each shrinker here does one thing wrong. */
function generation(
  name: string,
  create: (cache: ShrinkableCache) => Omit<Shrinker, "label">,
): ShrinkerGeneration {
  return {
    name,
    create(cache) {
      const wrong = create(cache);
      return {
        label: cache.label,
        count: (gfp, task) => wrong.count(gfp, task),
        scan: (amount, gfp, task) => wrong.scan(amount, gfp, task),
      };
    },
  };
}

async function withLock<T>(
  { lock }: ShrinkableCache,
  task: Task,
  work: () => Awaitable<T>,
): Promise<T> {
  await lock.lock(task);
  const done = await work();
  lock.unlock(task);
  return done;
}

/** Asks for the filesystem bit before it waits for I/O, but not before it waits for the lock. */
export const locksAlways: ShrinkerGeneration = generation("locks-always", (cache) => ({
  count: (_gfp, task) => withLock(cache, task, () => cache.count),
  scan: (amount, gfp, task) =>
    withLock(cache, task, () => cache.evict(amount, (gfp & GfpBit.Fs) !== 0, task)),
}));

/** Never waits for the lock to free something, but does to count what there is. */
export const countLocks: ShrinkerGeneration = generation("count-locks", (cache) => {
  const right = trylockAlways.create(cache);
  return {
    count: (_gfp, task) => withLock(cache, task, () => cache.count),
    scan: (amount, gfp, task) => right.scan(amount, gfp, task),
  };
});

/** Believes what the code asked for, which may know nothing of the scope that it is called in. */
export const requestedMask: ShrinkerGeneration = generation("requested-mask", (cache) => {
  const right = fsFlag.create(cache);
  return {
    count: (_gfp, task) => right.count(GFP_KERNEL, task),
    scan: (amount, _gfp, task) => right.scan(amount, GFP_KERNEL, task),
  };
});

/** Has work for its worker, and does it itself when that is idle. */
export const inlineWhenIdle: ShrinkerGeneration = generation("inline-when-idle", (cache) => ({
  count: () => cache.count,
  scan: (amount, _gfp, task) => withLock(cache, task, () => cache.evict(amount, true, task)),
}));

/** Only tries the lock, and only gives what is clean, whatever the mask allows. */
export const neverWrites: ShrinkerGeneration = generation("never-writes", (cache) => ({
  count: () => cache.count,
  scan(amount, _gfp, task) {
    if (!cache.lock.tryLock(task)) return SHRINK_STOP;
    const freed = cache.evict(amount, false, task);
    cache.lock.unlock(task);
    return freed;
  },
}));

/** Promises again what it has promised already. */
export const promisesTwice: ShrinkerGeneration = generation("promises-twice", (cache) => {
  const right = workQueue.create(cache);
  return {
    count: () => cache.count,
    scan: (amount, gfp: Gfp, task) => right.scan(amount, gfp, task),
  };
});
