import {
  GFP_ATOMIC,
  GFP_KERNEL,
  GFP_NOIO,
  GFP_NOWAIT,
  GfpBit,
  type Gfp,
  gfpName,
  type Task,
} from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { describe, expect, it } from "vitest";
import { allFail } from "./fault-plan.ts";
import { saveNoFs } from "./gfp-scope.ts";
import { Memory } from "./memory.ts";
import type { Shrinker } from "./shrinker.ts";

/** A cache with so many pages, that gives them back when it is asked. */
class Cache implements Shrinker {
  readonly label = "cache";
  readonly asked: string[] = [];
  readonly #memory: Memory;
  pages: number;

  constructor(memory: Memory, pages: number) {
    this.#memory = memory;
    this.pages = pages;
    expect(memory.tryTakePages(pages, GFP_NOWAIT, "cache")).toBe(true);
    memory.shrinkers.register(this);
  }

  count(): number {
    return this.pages;
  }

  scan(amount: number, gfp: Gfp, task: Task): number {
    this.asked.push(`${task.name} asks for ${String(amount)} with ${gfpName(gfp)}`);
    this.pages -= amount;
    this.#memory.givePages(amount);
    return amount;
  }
}

describe("a memory without pages", () => {
  it("has as many as anybody wants, and lets the fault plan decide", async () => {
    const scheduler = new VirtualScheduler();
    const memory = new Memory({ scheduler });
    expect(memory.freePages).toBe(Infinity);
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
    const memory = new Memory({
      scheduler: new VirtualScheduler(),
      pages: { totalPages: 10, minPages: 4 },
    });
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

  it("come from a cache when there are none, which is told what the scopes left of the mask", async () => {
    const scheduler = new VirtualScheduler();
    const memory = new Memory({ scheduler, pages: { totalPages: 10 } });
    const cache = new Cache(memory, 10);
    await scheduler.perform("fs", async (task) => {
      const saved = saveNoFs(task);
      expect(await memory.takePages(3, GFP_KERNEL, task, "file")).toBe(true);
      expect(saved).toBe(0);
      task.gfpScope = 0;
    });
    expect(cache.asked).toEqual(["fs asks for 3 with NOFS"]);
    expect([memory.freePages, cache.pages]).toEqual([0, 7]);
    expect([...memory.counters.evictions]).toEqual([["cache", 3]]);
  });

  it("make a task wait until they are given back, unless one attempt was allowed", async () => {
    const scheduler = new VirtualScheduler();
    const memory = new Memory({ scheduler, pages: { totalPages: 2 } });
    expect(memory.tryTakePages(2, GFP_NOWAIT, "cache")).toBe(true);
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
});
