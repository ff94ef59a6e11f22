import { InvariantError } from "@blkstack/bio";
import { describe, expect, it } from "vitest";
import { Mutex } from "./mutex.ts";
import { Spinlock } from "./spinlock.ts";
import { SleepInAtomicError } from "./task.ts";
import { VirtualScheduler } from "./virtual.ts";

describe("Spinlock", () => {
  it("sleeping is a defect until the last one is unlocked", async () => {
    const scheduler = new VirtualScheduler({ seed: 1 });
    const [outer, inner] = [new Spinlock("outer"), new Spinlock("inner")];
    const mutex = new Mutex("m");
    await scheduler.perform("a", async (task) => {
      await outer.lock(task);
      expect(inner.lock(task)).toBeUndefined();
      inner.unlock(task);
      expect(() => mutex.lock(task)).toThrow(SleepInAtomicError);
      expect(() => scheduler.sleep(task, mutex)).toThrow('mutex "m" while a holds a spinlock');
      outer.unlock(task);
      await mutex.lock(task);
    });
  });

  it("to lock one twice would spin for ever, and only the owner unlocks", async () => {
    const scheduler = new VirtualScheduler();
    const lock = new Spinlock("l");
    await scheduler.perform("a", async (task) => {
      await lock.lock(task);
      expect(() => lock.lock(task)).toThrow('a would spin for ever on spinlock "l", which a holds');
      lock.unlock(task);
      expect(() => {
        lock.unlock(task);
      }).toThrow(InvariantError);
    });
  });

  it("a task that ends while it holds one is found out", async () => {
    const scheduler = new VirtualScheduler();
    const lock = new Spinlock("l");
    scheduler.spawn("a", (task) => lock.lock(task));
    await expect(scheduler.run()).rejects.toThrow("a ended holding a spinlock");
  });

  it("locking is where another task may run, holding is not", async () => {
    const orders = new Set<string>();
    for (let seed = 0; seed < 50; seed += 1) {
      const scheduler = new VirtualScheduler({ seed });
      const lock = new Spinlock("l");
      let order = "";
      for (const name of ["a", "b"]) {
        scheduler.spawn(name, async (task) => {
          await lock.lock(task);
          order += name;
          await Promise.resolve();
          order += name;
          lock.unlock(task);
        });
      }
      await scheduler.run();
      orders.add(order);
    }
    expect([...orders].sort()).toEqual(["aabb", "bbaa"]);
  });
});
