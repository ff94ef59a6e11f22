import { type Page, PAGE_BYTES } from "@blkstack/bio";
import { GFP_KERNEL, GFP_NOIO, GFP_NOWAIT, GfpBit } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { allFail } from "./fault-plan.ts";
import { Memory } from "./memory.ts";
import { PageAllocator } from "./page-allocator.ts";

function pagesOf(
  limitPages: number,
  scheduler: VirtualScheduler = new VirtualScheduler(),
): PageAllocator {
  return new PageAllocator({ memory: new Memory({ scheduler }), limitPages, label: "pages" });
}

function taken(page: Page | null): Page {
  if (page === null) throw new Error("no page");
  return page;
}

describe("pages without waiting", () => {
  it("are there up to the limit, and again after they were given back", () => {
    const pages = pagesOf(2);
    const one = taken(pages.tryAlloc(GFP_NOWAIT));
    const two = taken(pages.tryAlloc(GFP_NOWAIT));
    expect(one.bytes.length).toBe(PAGE_BYTES);
    expect(one.frame).not.toBe(two.frame);
    expect(pages.tryAlloc(GFP_NOWAIT)).toBeNull();
    expect(pages.blockers()).toEqual([one, two]);
    pages.free(one);
    expect([pages.usedPages, pages.freePages]).toEqual([1, 1]);
    expect(pages.tryAlloc(GFP_NOWAIT)).toBe(one);
    expect(pages.counters).toEqual({ allocations: 3, failures: 1, waits: 0 });
  });

  it("come one behind the other, in powers of two", () => {
    const pages = pagesOf(16);
    expect(taken(pages.tryAlloc(GFP_NOWAIT, 3)).bytes.length).toBe(4 * PAGE_BYTES);
    expect(taken(pages.tryAlloc(GFP_NOWAIT, 8)).frame).toBe(4);
    expect(pages.usedPages).toBe(12);
    expect(pages.tryAlloc(GFP_NOWAIT, 8)).toBeNull();
  });

  it("are not there when the fault plan says so", () => {
    const memory = new Memory({ scheduler: new VirtualScheduler(), faultPlan: allFail });
    const pages = new PageAllocator({ memory, limitPages: 4, label: "pages" });
    expect(pages.tryAlloc(GFP_KERNEL)).toBeNull();
    expect(pages.usedPages).toBe(0);
  });

  it("of another allocator, or given back already, are refused", () => {
    const pages = pagesOf(2);
    const page = taken(pages.tryAlloc(GFP_NOWAIT));
    expect(() => {
      pages.free({ bytes: new Uint8Array(PAGE_BYTES), frame: 7 });
    }).toThrow("not its own");
    pages.free(page);
    expect(() => {
      pages.free(page);
    }).toThrow("double free");
    expect(pages.usedPages).toBe(0);
  });

  it("never exist beyond the limit, used and kept together, nor twice at a time", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -20, max: 9 })), (steps) => {
        const pages = pagesOf(16);
        const held: Page[] = [];
        const seen = new Set<Page>();
        for (const step of steps) {
          if (step > 0) {
            const page = pages.tryAlloc(GFP_NOWAIT, step);
            if (page === null) continue;
            expect(held).not.toContain(page);
            expect(page.bytes.length).toBeGreaterThanOrEqual(step * PAGE_BYTES);
            held.push(page);
            seen.add(page);
          } else {
            for (const page of held.splice(-step % (held.length + 1), 1)) pages.free(page);
          }
          const used = held.reduce((sum, page) => sum + page.bytes.length / PAGE_BYTES, 0);
          expect(pages.usedPages).toBe(used);
          expect(used).toBeLessThanOrEqual(pages.existingPages);
          expect(pages.existingPages).toBeLessThanOrEqual(16);
        }
        const frames = [...seen].map(({ frame }) => frame);
        expect(new Set(frames).size).toBe(frames.length);
      }),
    );
  });
});

describe("who waits for pages", () => {
  it("gets them when they are given back, in order, however many they want", async () => {
    const scheduler = new VirtualScheduler();
    const pages = pagesOf(4, scheduler);
    const held = [1, 2, 3, 4].map(() => taken(pages.tryAlloc(GFP_NOWAIT)));
    const story: string[] = [];
    for (const [name, count] of [["large", 4] as const, ["small", 1] as const]) {
      scheduler.spawn(name, async (task) => {
        const page = taken(await pages.alloc(GFP_NOIO, task, count));
        story.push(name);
        pages.free(page);
      });
    }
    await scheduler.run();
    const overtakes = pages.tryAlloc(GFP_NOWAIT);
    expect(overtakes).toBeNull();
    for (const page of held) {
      expect(story).toEqual([]);
      pages.free(page);
      await scheduler.run();
    }
    expect(story).toEqual(["large", "small"]);
    expect(pages.counters.waits).toBe(2);
    expect(pages.usedPages).toBe(0);
  });

  it("lets the next in line go with what it leaves", async () => {
    const scheduler = new VirtualScheduler();
    const pages = pagesOf(4, scheduler);
    const held = taken(pages.tryAlloc(GFP_NOWAIT, 4));
    const story: string[] = [];
    for (const name of ["first", "second", "third"]) {
      scheduler.spawn(name, async (task) => {
        await pages.alloc(GFP_NOIO, task);
        story.push(name);
      });
    }
    await scheduler.run();
    pages.free(held);
    await scheduler.run();
    expect(story).toEqual(["first", "second", "third"]);
  });

  it("is told at once that so many can never be there, or that one attempt was allowed", async () => {
    const scheduler = new VirtualScheduler();
    const pages = pagesOf(4, scheduler);
    await scheduler.perform("reader", async (task) => {
      expect(await pages.alloc(GFP_KERNEL, task, 5)).toBeNull();
      expect(await pages.alloc(GFP_KERNEL, task, 4)).not.toBeNull();
      expect(await pages.alloc(GFP_KERNEL | GfpBit.NoRetry, task)).toBeNull();
    });
    expect(pages.counters).toEqual({ allocations: 1, failures: 2, waits: 0 });
  });

  it("gets them in every order of preemption", async () => {
    for (let seed = 0; seed < 50; seed += 1) {
      const scheduler = new VirtualScheduler({ seed });
      const pages = pagesOf(4, scheduler);
      let served = 0;
      for (const count of [1, 4, 2, 3, 1, 2]) {
        scheduler.spawn(`wants ${String(count)}`, async (task) => {
          const page = taken(await pages.alloc(GFP_NOIO, task, count));
          await scheduler.mayPreempt(task, { object: pages, mode: 0, label: "uses pages" });
          pages.free(page);
          served += 1;
        });
      }
      await scheduler.run();
      expect(served).toBe(6);
      expect(pages.usedPages).toBe(0);
    }
  });
});
