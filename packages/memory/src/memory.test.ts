import { GFP_KERNEL, GFP_NOFS, GFP_NOIO, GFP_NOWAIT, SleepInAtomicError } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { describe, expect, it } from "vitest";
import {
  allFail,
  choosesFailures,
  failsAt,
  failsTheNth,
  failsWithoutWaiting,
  noneFails,
} from "./fault-plan.ts";
import { Memory } from "./memory.ts";
import { Slab } from "./slab.ts";

const memoryOf = (scheduler = new VirtualScheduler()): Memory => new Memory({ scheduler });

describe("a fault plan", () => {
  it("decides by the mask, the site or the count", () => {
    const memory = memoryOf();
    expect(memory.fails("bios", GFP_NOWAIT)).toBe(false);
    memory.faultPlan = noneFails;
    expect(memory.fails("bios", GFP_NOWAIT)).toBe(false);
    memory.faultPlan = allFail;
    expect(memory.fails("bios", GFP_KERNEL)).toBe(true);
    memory.faultPlan = failsWithoutWaiting;
    expect(memory.fails("bios", GFP_NOWAIT)).toBe(true);
    expect(memory.fails("bios", GFP_NOIO)).toBe(false);
    memory.faultPlan = failsAt(["vecs"]);
    expect(memory.fails("bios", GFP_NOWAIT)).toBe(false);
    expect(memory.fails("vecs", GFP_NOWAIT)).toBe(true);
    expect(memory.counters.failures).toBe(3);
  });

  it("counts the attempts of each site apart, and afresh for each plan", () => {
    const memory = memoryOf();
    const outcomes = (): boolean[] => [1, 2, 3].map(() => memory.fails("bios", GFP_NOWAIT));
    for (let run = 0; run < 2; run += 1) {
      memory.faultPlan = failsTheNth(2);
      expect(memory.fails("vecs", GFP_NOWAIT)).toBe(false);
      expect(outcomes()).toEqual([false, true, false]);
    }
  });

  it("that leaves it to the scheduler asks until its budget is spent", () => {
    const asked: string[] = [];
    const scheduler = new VirtualScheduler({
      choose: (what) => {
        asked.push(what);
        return asked.length === 1 ? 0 : 1;
      },
    });
    const memory = new Memory({ scheduler, faultPlan: choosesFailures(scheduler, 2) });
    const outcomes = [1, 2, 3, 4, 5].map(() => memory.fails("bios", GFP_NOWAIT));
    expect(outcomes).toEqual([false, true, true, false, false]);
    expect(asked).toEqual(Array.from({ length: 3 }, () => "memory for bios"));
  });
});

describe("a slab", () => {
  const slabOf = (memory: Memory): Slab<{ n: number }> => {
    let made = 0;
    return new Slab(memory, "bios", () => ({ n: (made += 1) }), { keepMax: 2 });
  };

  it("hands out again what was given back, and forgets what is too much to keep", () => {
    const slab = slabOf(memoryOf());
    const three = [1, 2, 3].map(() => slab.tryAlloc(GFP_NOWAIT));
    expect(three.map((element) => element?.n)).toEqual([1, 2, 3]);
    expect(slab.liveCount).toBe(3);
    for (const element of three) slab.free(element ?? { n: 0 });
    expect(slab.liveCount).toBe(0);
    expect([1, 2, 3].map(() => slab.tryAlloc(GFP_NOWAIT)?.n)).toEqual([2, 1, 4]);
  });

  it("answers null when the plan says so", () => {
    const memory = memoryOf();
    memory.faultPlan = allFail;
    const slab = slabOf(memory);
    expect(slab.tryAlloc(GFP_KERNEL)).toBeNull();
    expect(slab.liveCount).toBe(0);
  });

  it("notices an element that is given back twice", () => {
    const slab = slabOf(memoryOf());
    const element = slab.tryAlloc(GFP_NOWAIT) ?? { n: 0 };
    slab.tryAlloc(GFP_NOWAIT);
    slab.free(element);
    expect(() => {
      slab.free(element);
    }).toThrow("double free: bios");
  });

  it("asks with what the scopes of the task leave of the mask", async () => {
    const scheduler = new VirtualScheduler();
    const masks: number[] = [];
    const faultPlan = {
      fails: (_site: string, gfp: number): boolean => {
        masks.push(gfp);
        return false;
      },
    };
    const slab = slabOf(new Memory({ scheduler, faultPlan }));
    await scheduler.perform("filesystem", async (task) => {
      task.gfpScope = 2;
      await slab.alloc(GFP_KERNEL, task);
      task.gfpScope = 3;
      await slab.alloc(GFP_KERNEL, task);
      task.gfpScope = 0;
    });
    expect(masks).toEqual([GFP_NOFS, GFP_NOIO]);
  });

  it("refuses a mask that may wait to the holder of a spinlock, with or without need", async () => {
    const scheduler = new VirtualScheduler();
    const slab = slabOf(memoryOf(scheduler));
    await scheduler.perform("driver", (task) => {
      task.atomicDepth = 1;
      expect(() => slab.alloc(GFP_NOIO, task)).toThrow(SleepInAtomicError);
      expect(slab.alloc(GFP_NOWAIT, task)).not.toBeNull();
      task.atomicDepth = 0;
    });
  });
});
