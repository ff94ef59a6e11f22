import { InvariantError } from "@blkstack/bio";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Mutex } from "./mutex.ts";
import { SleepInAtomicError } from "./task.ts";
import { VirtualScheduler } from "./virtual.ts";

describe("Mutex", () => {
  it("is handed over to whoever waits longest, and nobody overtakes", async () => {
    const scheduler = new VirtualScheduler();
    const mutex = new Mutex("s.lock");
    const story: string[] = [];
    const owner = scheduler.spawn("owner", async (task) => {
      await mutex.lock(task);
      await scheduler.sleep(task, mutex);
      mutex.unlock(task);
      // Handed over already, although the next owner has not run yet.
      expect(mutex.tryLock(task)).toBe(false);
    });
    for (const name of ["first", "second", "third"]) {
      scheduler.spawn(name, async (task) => {
        await mutex.lock(task);
        story.push(name);
        mutex.unlock(task);
      });
    }
    await scheduler.run();
    expect(mutex.owner).toBe(owner);
    expect(mutex.blockers()).toEqual([owner]);
    expect(scheduler.sleepers().map(({ waitingFor }) => waitingFor?.label)).toEqual(
      Array(4).fill('mutex "s.lock"'),
    );
    scheduler.wake(owner);
    await scheduler.run();
    expect(story).toEqual(["first", "second", "third"]);
    expect(mutex.owner).toBeNull();
    expect(mutex.blockers()).toEqual([]);
  });

  it("a sleeper that is woken for no reason sleeps on", async () => {
    const scheduler = new VirtualScheduler();
    const mutex = new Mutex("m");
    scheduler.spawn("owner", (task) => mutex.lock(task));
    const waiter = scheduler.spawn("waiter", (task) => mutex.lock(task));
    await scheduler.run();
    scheduler.wake(waiter);
    await scheduler.run();
    expect(scheduler.sleepers()).toEqual([waiter]);
    expect(mutex.owner?.name).toBe("owner");
  });

  it("excludes: in a thousand schedules no update is lost", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) => {
        const scheduler = new VirtualScheduler({ seed });
        const mutex = new Mutex("m");
        let counter = 0;
        for (const name of ["a", "b", "c"]) {
          scheduler.spawn(name, async (task) => {
            for (let turn = 0; turn < 3; turn += 1) {
              await mutex.lock(task);
              const seen = counter;
              await scheduler.mayPreempt(task, { object: mutex, mode: 1, label: "between" });
              counter = seen + 1;
              mutex.unlock(task);
            }
          });
        }
        await scheduler.run();
        expect(counter).toBe(9);
      }),
      { numRuns: 1000 },
    );
  });

  it("a free mutex is locked without a promise", async () => {
    const scheduler = new VirtualScheduler();
    const mutex = new Mutex("m");
    await scheduler.perform("a", (task) => {
      expect(mutex.lock(task)).toBeUndefined();
      mutex.unlock(task);
      expect(mutex.tryLock(task)).toBe(true);
    });
  });

  it("a task that locks it twice waits for itself", async () => {
    const scheduler = new VirtualScheduler();
    const mutex = new Mutex("m");
    const task = scheduler.spawn("a", async (self) => {
      await mutex.lock(self);
      await mutex.lock(self);
    });
    await scheduler.run();
    expect(task.blockers()).toEqual([mutex]);
    expect(mutex.blockers()).toEqual([task]);
  });

  it("only the owner unlocks, and nobody locks where sleeping is forbidden", async () => {
    const scheduler = new VirtualScheduler();
    const mutex = new Mutex("m");
    await scheduler.perform("a", (task) => {
      expect(() => {
        mutex.unlock(task);
      }).toThrow(InvariantError);
      task.atomicDepth = 1;
      expect(() => mutex.lock(task)).toThrow(SleepInAtomicError);
      task.atomicDepth = 0;
    });
  });
});
