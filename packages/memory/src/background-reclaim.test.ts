import { GFP_NOFS, GFP_NOIO, GFP_NOWAIT, Mutex } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { describe, expect, it } from "vitest";
import { Cache } from "../test/cache.ts";
import { Memory } from "./memory.ts";

const PAGES = { totalPages: 20, minPages: 2, lowPages: 5, highPages: 8 };

function rig(): { readonly scheduler: VirtualScheduler; readonly memory: Memory } {
  const scheduler = new VirtualScheduler();
  return { scheduler, memory: new Memory({ scheduler, pages: PAGES }) };
}

describe("background reclaim", () => {
  it("begins below the low watermark, and rests at the high one", async () => {
    const { memory, scheduler } = rig();
    const cache = new Cache(memory, 10);
    memory.startBackgroundReclaim();
    memory.startBackgroundReclaim();
    expect(memory.tryTakePages(5, GFP_NOWAIT, "file")).toBe(true);
    await scheduler.run();
    expect(cache.asked).toEqual([]);
    expect(memory.tryTakePages(1, GFP_NOWAIT, "file")).toBe(true);
    await scheduler.run();
    expect(cache.asked).toEqual(["kswapd asks for 4 with KERNEL"]);
    expect(memory.freePages).toBe(8);
    expect(memory.counters).toMatchObject({ backgroundRounds: 1, directRounds: 0 });
  });

  it("may do for a task what the task may not do for itself", async () => {
    const { memory, scheduler } = rig();
    let dirty = 18;
    expect(memory.tryTakePages(dirty, GFP_NOWAIT, "file")).toBe(true);
    memory.startBackgroundReclaim();
    memory.shrinkers.register({
      label: "file",
      count: (gfp) => (gfp > GFP_NOFS ? dirty : 0),
      scan: (amount) => {
        dirty -= amount;
        memory.givePages(amount);
        return amount;
      },
    });
    const servedAtMs: number[] = [];
    scheduler.spawn("fs", async (task) => {
      expect(await memory.takePages(4, GFP_NOFS, task, "file")).toBe(true);
      servedAtMs.push(scheduler.clock.nowMs());
    });
    await scheduler.run();
    expect(servedAtMs).toEqual([1000]);
    expect(memory.counters).toMatchObject({ directRounds: 1, stalls: 1 });
  });

  it("does not begin a round for each allocation when there is nothing to be had", async () => {
    const { memory, scheduler } = rig();
    memory.startBackgroundReclaim();
    for (let page = 0; page < 18; page += 1) {
      expect(memory.tryTakePages(1, GFP_NOWAIT, "file")).toBe(true);
      await scheduler.run();
    }
    expect(memory.counters.backgroundRounds).toBe(1);
  });

  it("looks again for whoever begins to wait while it goes about a round in vain", async () => {
    const { memory, scheduler } = rig();
    const lock = new Mutex("cache");
    const admin = { name: "admin" };
    let freeable = 0;
    expect(memory.tryTakePages(18, GFP_NOWAIT, "file")).toBe(true);
    memory.startBackgroundReclaim();
    memory.shrinkers.register({
      label: "cache",
      count: async (gfp, task) => {
        if (gfp <= GFP_NOFS) return 0;
        const now = freeable;
        await lock.lock(task);
        lock.unlock(task);
        return now;
      },
      scan: (amount) => {
        freeable -= amount;
        memory.givePages(amount);
        return amount;
      },
    });
    const servedAtMs: number[] = [];
    scheduler.spawn(admin.name, async (task) => {
      await lock.lock(task);
      memory.tryTakePages(1, GFP_NOWAIT, "file");
      await scheduler.sleep(task, lock, 10);
      freeable = 10;
      scheduler.spawn("reader", async (reader) => {
        await memory.takePages(1, GFP_NOIO, reader, "file");
        servedAtMs.push(scheduler.clock.nowMs());
      });
      await scheduler.sleep(task, lock, 10);
      lock.unlock(task);
    });
    await scheduler.advance(1000);
    expect(servedAtMs).toEqual([1020]);
  });

  it("ends when it is stopped, and can be started again", async () => {
    const { memory, scheduler } = rig();
    const cache = new Cache(memory, 18);
    memory.startBackgroundReclaim();
    await scheduler.run();
    memory.stopBackgroundReclaim();
    await scheduler.run();
    expect(scheduler.sleepers()).toEqual([]);
    expect(memory.tryTakePages(1, GFP_NOWAIT, "file")).toBe(false);
    await scheduler.run();
    expect(cache.pages).toBe(18);
    memory.startBackgroundReclaim();
    expect(memory.tryTakePages(1, GFP_NOWAIT, "file")).toBe(false);
    await scheduler.run();
    expect(cache.pages).toBe(12);
  });
});
