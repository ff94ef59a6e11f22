import {
  type Awaitable,
  GFP_ATOMIC,
  GFP_KERNEL,
  GFP_NOFS,
  GFP_NOIO,
  GFP_NOWAIT,
  GfpBit,
  type Task,
} from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { describe, expect, it } from "vitest";
import { Cache } from "../test/cache.ts";
import { allFail } from "./fault-plan.ts";
import { withNoFs, withNoIo } from "./gfp-scope.ts";
import { Memory } from "./memory.ts";
import { PageAllocator } from "./page-allocator.ts";
import { SHRINK_STOP, type Shrinker } from "./shrinker.ts";
import { Slab } from "./slab.ts";
import type { PageBudget } from "./watermarks.ts";

interface Rig {
  readonly scheduler: VirtualScheduler;
  readonly memory: Memory;
}

function rigOf(pages: PageBudget, joinedScopes = false): Rig {
  const scheduler = new VirtualScheduler();
  return { scheduler, memory: new Memory({ scheduler, pages, joinedScopes }) };
}

function fill(memory: Memory): void {
  expect(memory.tryTakePages(memory.freePages, GFP_NOWAIT, "hog")).toBe(true);
}

describe("a memory without pages", () => {
  it("has as many as anybody wants, and lets the fault plan decide", async () => {
    const scheduler = new VirtualScheduler();
    const memory = new Memory({ scheduler });
    expect(memory.freePages).toBe(Infinity);
    expect(() => {
      memory.resize({ totalPages: 5 });
    }).toThrow("cannot be resized");
    await scheduler.perform("task", (task) => {
      expect(memory.takePages(1e9, GFP_NOIO, task, "cache")).toBe(true);
      memory.givePages(1e9);
      memory.faultPlan = allFail;
      expect(memory.tryTakePages(1, GFP_NOWAIT, "cache")).toBe(false);
      expect(memory.takePages(1, GFP_NOIO, task, "cache")).toBe(false);
    });
  });
});

describe("pages that are counted", () => {
  it("are handed out down to the lowest watermark, and to emergencies below it", () => {
    const { memory } = rigOf({ totalPages: 10, minPages: 4 });
    expect(memory.tryTakePages(7, GFP_NOWAIT, "cache")).toBe(false);
    expect(memory.tryTakePages(6, GFP_NOWAIT, "cache")).toBe(true);
    expect(memory.tryTakePages(1, GFP_NOWAIT, "cache")).toBe(false);
    expect(memory.tryTakePages(2, GFP_ATOMIC, "cache")).toBe(true);
    expect(memory.tryTakePages(1, GFP_ATOMIC, "cache")).toBe(false);
    expect(memory.freePages).toBe(2);
    memory.givePages(8);
    expect(memory.freePages).toBe(10);
    expect(memory.counters.belowMin).toBe(1);
    expect(() => {
      memory.givePages(1);
    }).toThrow("more pages are given back than taken");
  });

  it("can become more, and fewer as long as those in use stay", () => {
    const { memory } = rigOf({ totalPages: 10 });
    fill(memory);
    memory.resize({ totalPages: 12 });
    expect([memory.totalPages, memory.freePages]).toEqual([12, 2]);
    expect(() => {
      memory.resize({ totalPages: 9 });
    }).toThrow("more pages are in use than there shall be");
  });

  it("need watermarks in their order", () => {
    expect(() => rigOf({ totalPages: 8, minPages: 4, lowPages: 3 })).toThrow("4 <= 3");
  });

  it("make a task wait until they are given back, unless one attempt was allowed", async () => {
    const { memory, scheduler } = rigOf({ totalPages: 2 });
    fill(memory);
    const story: string[] = [];
    scheduler.spawn("patient", async (task) => {
      await memory.takePages(1, GFP_NOIO, task, "file");
      story.push(`patient has one at ${String(scheduler.clock.nowMs())}`);
    });
    scheduler.spawn("hasty", async (task) => {
      const taken = await memory.takePages(1, GFP_NOIO | GfpBit.NoRetry, task, "file");
      story.push(`hasty has ${taken ? "one" : "none"}`);
    });
    await scheduler.run();
    await scheduler.advance(30);
    memory.givePages(1);
    await scheduler.run();
    expect(story).toEqual(["hasty has none", "patient has one at 1030"]);
    expect(memory.counters.stalls).toBe(1);
  });

  it("wake only those that they suffice for", async () => {
    const { memory, scheduler } = rigOf({ totalPages: 4 });
    fill(memory);
    const served: string[] = [];
    for (const [name, pages] of [["large", 3] as const, ["small", 1] as const]) {
      scheduler.spawn(name, async (task) => {
        await memory.takePages(pages, GFP_NOIO, task, "file");
        served.push(name);
      });
    }
    await scheduler.run();
    memory.givePages(2);
    await scheduler.run();
    expect(served).toEqual(["small"]);
    memory.givePages(2);
    await scheduler.run();
    expect(served).toEqual(["small", "large"]);
    expect(memory.counters.stalls).toBe(2);
  });

  it("that can never be there are refused at once", async () => {
    const { memory, scheduler } = rigOf({ totalPages: 10, minPages: 2 });
    await scheduler.perform("task", (task) => {
      expect(memory.takePages(9, GFP_KERNEL, task, "file")).toBe(false);
    });
  });
});

describe("direct reclaim", () => {
  it("shows caches what the scopes of the task left of the mask", async () => {
    const { memory, scheduler } = rigOf({ totalPages: 10 });
    const cache = new Cache(memory, 10);
    await scheduler.perform("fs", async (task) => {
      expect(await withNoFs(task, () => memory.takePages(3, GFP_KERNEL, task, "file"))).toBe(true);
      await withNoIo(task, () => memory.takePages(1, GFP_NOFS, task, "file"));
      await memory.takePages(1, GFP_KERNEL, task, "file");
    });
    expect(cache.asked).toEqual([
      "fs asks for 3 with NOFS",
      "fs asks for 1 with NOIO",
      "fs asks for 1 with KERNEL",
    ]);
    expect([memory.freePages, cache.pages]).toEqual([0, 5]);
    expect([...memory.counters.evictions]).toEqual([["cache", 5]]);
    expect([...memory.counters.roundsByTask]).toEqual([["fs", 3]]);
  });

  it("shows them the mask of the worker for work that was handed to it, not of who handed it over", async () => {
    const { memory, scheduler } = rigOf({ totalPages: 10 });
    const cache = new Cache(memory, 10);
    await scheduler.perform("fs", (task) =>
      withNoFs(task, () => {
        scheduler.spawn("worker", async (worker) => {
          await memory.takePages(1, GFP_KERNEL, worker, "file");
        });
      }),
    );
    expect(cache.asked).toEqual(["worker asks for 1 with KERNEL"]);
  });

  it("takes I/O from who may not enter a filesystem only where the scopes are joined", async () => {
    const { memory, scheduler } = rigOf({ totalPages: 10 }, true);
    const cache = new Cache(memory, 10);
    await scheduler.perform("fs", async (task) => {
      await memory.takePages(1, GFP_NOFS, task, "file");
      await withNoFs(task, () => memory.takePages(1, GFP_KERNEL, task, "file"));
      await memory.takePages(1, GFP_KERNEL, task, "file");
    });
    expect(cache.asked.map((line) => line.split(" ").at(-1))).toEqual(["NOIO", "NOIO", "KERNEL"]);
  });

  it("takes first what is only kept for reuse, of pages and of elements", async () => {
    const { memory, scheduler } = rigOf({ totalPages: 10 });
    const pages = new PageAllocator({ memory, limitPages: 4, label: "pages" });
    const slab = new Slab(memory, "bios", () => ({}), { elementBytes: 1500 });
    const page = pages.tryAlloc(GFP_NOWAIT, 4);
    const elements = [1, 2, 3, 4, 5].map(() => slab.tryAlloc(GFP_NOWAIT));
    expect([memory.freePages, slab.pages]).toEqual([4, 2]);
    if (page !== null) pages.free(page);
    for (const element of elements.slice(1)) if (element !== null) slab.free(element);
    expect([memory.freePages, slab.pages]).toEqual([4, 2]);
    const cache = new Cache(memory, 4);
    await scheduler.perform("task", (task) => {
      expect(memory.takePages(5, GFP_NOIO, task, "file")).toBe(true);
    });
    expect([pages.existingPages, slab.pages, slab.liveCount]).toEqual([0, 1, 1]);
    expect(cache.asked).toEqual([]);
  });

  it("has none of the pages left of which an element was, when it is told that all may go", () => {
    const { memory } = rigOf({ totalPages: 10 });
    const slab = new Slab(memory, "bios", () => ({}), { elementBytes: 1500 });
    const elements = [1, 2, 3, 4, 5].map(() => slab.tryAlloc(GFP_NOWAIT));
    for (const element of elements.slice(1)) if (element !== null) slab.free(element);
    slab.letGoOfAll();
    expect([memory.freePages, slab.pages]).toEqual([9, 1]);
    for (const element of elements.slice(0, 1)) if (element !== null) slab.free(element);
    slab.letGoOfAll();
    expect([memory.freePages, slab.pages]).toEqual([10, 0]);
  });

  it("has no page left that an allocator kept, when that is told that all may go", () => {
    const { memory } = rigOf({ totalPages: 10 });
    const pages = new PageAllocator({ memory, limitPages: 8, label: "pages" });
    const [first, second] = [1, 2].map((count) => pages.tryAlloc(GFP_NOWAIT, count));
    if (second) pages.free(second);
    pages.letGoOfAll();
    expect([memory.freePages, pages.existingPages]).toEqual([9, 1]);
    if (first) pages.free(first);
    pages.letGoOfAll();
    expect([memory.freePages, pages.existingPages]).toEqual([10, 0]);
  });

  it("has pages given back at once, not kept, while somebody waits for them", async () => {
    const { memory, scheduler } = rigOf({ totalPages: 4 });
    const pages = new PageAllocator({ memory, limitPages: 4, label: "pages" });
    const slab = new Slab(memory, "bios", () => ({}), { elementBytes: 4096 });
    const held = [1, 2, 3].map(() => pages.tryAlloc(GFP_NOWAIT));
    const element = slab.tryAlloc(GFP_NOWAIT);
    const done: string[] = [];
    scheduler.spawn("waits", async (task) => {
      await memory.takePages(1, GFP_NOIO, task, "file");
      await memory.takePages(1, GFP_NOIO, task, "file");
      done.push("has two");
    });
    await scheduler.run();
    for (const page of held.slice(0, 1)) if (page !== null) pages.free(page);
    await scheduler.run();
    expect(done).toEqual([]);
    if (element !== null) slab.free(element);
    await scheduler.run();
    expect(done).toEqual(["has two"]);
  });

  it("is done for a page or an element that is asked for, as far as the mask allows", async () => {
    const { memory, scheduler } = rigOf({ totalPages: 4 });
    const cache = new Cache(memory, 4);
    const pages = new PageAllocator({ memory, limitPages: 4, label: "pages" });
    const slab = new Slab(memory, "bios", () => ({}), { elementBytes: 2048 });
    await scheduler.perform("task", async (task) => {
      expect(pages.alloc(GFP_NOWAIT, task)).toBeNull();
      expect(slab.alloc(GFP_NOWAIT, task)).toBeNull();
      expect(await pages.alloc(GFP_NOIO, task, 2)).not.toBeNull();
      expect(await slab.alloc(GFP_NOIO, task)).not.toBeNull();
      expect(slab.alloc(GFP_NOIO, task)).not.toBeInstanceOf(Promise);
      expect(await slab.alloc(GFP_NOIO | GfpBit.NoRetry, task)).not.toBeNull();
      expect(await pages.alloc(GFP_NOIO | GfpBit.NoRetry, task)).toBeNull();
    });
    expect(cache.pages).toBe(0);
    expect([pages.usedPages, slab.pages, memory.freePages]).toEqual([2, 2, 0]);
  });

  it("asks for no more than 128 at a time, and leaves a cache alone that stops or frees nothing", async () => {
    const { memory, scheduler } = rigOf({ totalPages: 1000, minPages: 0 });
    const asked: string[] = [];
    const answering = (label: string, answers: number[]): Shrinker => ({
      label,
      count: () => 1000,
      scan: (amount) => {
        asked.push(`${label} ${String(amount)}`);
        const answer = answers.shift() ?? 0;
        if (answer > 0) memory.givePages(answer);
        return answer;
      },
    });
    fill(memory);
    memory.shrinkers.register(answering("stops", [128, SHRINK_STOP]));
    memory.shrinkers.register(answering("dry", [100, 0]));
    memory.shrinkers.register({ label: "empty", count: () => 0, scan: () => 1 });
    memory.shrinkers.register(answering("rich", [72]));
    memory.shrinkers.register(answering("spared", []));
    await scheduler.perform("task", (task) => memory.takePages(300, GFP_KERNEL, task, "file"));
    expect(asked).toEqual(["stops 128", "stops 128", "dry 128", "dry 72", "rich 72"]);
  });

  it("asks the next cache as well when one has only promised", async () => {
    const { memory, scheduler } = rigOf({ totalPages: 4 });
    const cache = new Cache(memory, 4);
    memory.shrinkers.unregister(cache);
    memory.shrinkers.register({ label: "promises", count: () => 4, scan: (amount) => amount });
    memory.shrinkers.register(cache);
    await scheduler.perform("task", (task) => memory.takePages(1, GFP_NOFS, task, "file"));
    expect(cache.pages).toBe(3);
  });

  it("does not begin anew for what is only promised, but waits until it comes", async () => {
    const { memory, scheduler } = rigOf({ totalPages: 4 });
    fill(memory);
    let promised = 0;
    memory.shrinkers.register({
      label: "promises",
      count: () => 4,
      scan: (amount) => {
        promised += amount;
        return amount;
      },
    });
    const served: boolean[] = [];
    scheduler.spawn("task", async (task) => {
      served.push(await memory.takePages(1, GFP_NOFS, task, "file"));
    });
    await scheduler.run();
    expect([promised, memory.counters.stalls]).toEqual([1, 1]);
    memory.givePages(1);
    await scheduler.run();
    expect(served).toEqual([true]);
  });

  it("is tried again when a cache says that it can free now what it could not", async () => {
    const { memory, scheduler } = rigOf({ totalPages: 4 });
    const cache = new Cache(memory, 4);
    cache.pages = 0;
    const servedAtMs: number[] = [];
    scheduler.spawn("task", async (task) => {
      await memory.takePages(1, GFP_NOFS, task, "file");
      servedAtMs.push(scheduler.clock.nowMs());
    });
    await scheduler.run();
    cache.pages = 4;
    memory.becameFreeable();
    await scheduler.run();
    expect(servedAtMs).toEqual([1000]);
  });

  it("does not reclaim for itself: it has the last pages, or none", async () => {
    const { memory, scheduler } = rigOf({ totalPages: 4, minPages: 2, lowPages: 2 });
    fillTo(memory, 2);
    const within: Awaitable<boolean>[] = [];
    const scan = (_amount: number, _gfp: number, task: Task): number => {
      const pool = GFP_NOIO | GfpBit.NoMemalloc;
      for (const gfp of [pool, GFP_NOIO, GFP_NOIO, GFP_NOIO]) {
        within.push(memory.takePages(1, gfp, task, "writeback"));
      }
      memory.givePages(4);
      return 1;
    };
    memory.shrinkers.register({ label: "cache", count: () => 1, scan });
    await scheduler.perform("task", async (task) => {
      expect(await memory.takePages(1, GFP_KERNEL, task, "file")).toBe(true);
    });
    expect(within).toEqual([false, true, true, false]);
    expect(memory.counters.belowMin).toBe(2);
  });

  it("is told to whoever learns the order of locks", async () => {
    const { memory, scheduler } = rigOf({ totalPages: 4 });
    const cache = new Cache(memory, 4);
    const told: string[] = [];
    Object.defineProperty(scheduler, "lockWatcher", {
      value: {
        allocates: (_task: Task, _gfp: number, site: string) => told.push(`allocates ${site}`),
        entersReclaim: () => told.push(`enters with ${String(cache.pages)}`),
        leavesReclaim: () => told.push(`leaves with ${String(cache.pages)}`),
      },
    });
    await scheduler.perform("task", (task) => memory.takePages(1, GFP_KERNEL, task, "file"));
    expect(told).toEqual(["allocates file", "enters with 4", "leaves with 3"]);
  });
});

function fillTo(memory: Memory, freePages: number): void {
  expect(memory.tryTakePages(memory.freePages - freePages, GFP_NOWAIT, "hog")).toBe(true);
}
