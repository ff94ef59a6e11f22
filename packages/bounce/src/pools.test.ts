import { BlockError } from "@blkstack/block";
import { failsAt, Memory, PageAllocator } from "@blkstack/memory";
import { GFP_NOIO } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { expect, it } from "vitest";
import { assertPoolSize, BouncePages, PagePools, poolSizeFor } from "./index.ts";

function allocator(memory: Memory, label: string): PageAllocator {
  return new PageAllocator({ memory, limitPages: 1000, label });
}

it("a reserve is for all tasks but one element short, and one more", () => {
  expect(poolSizeFor({ mappers: 1, each: 3 })).toBe(3);
  expect(poolSizeFor({ mappers: 2, each: 3 })).toBe(5);
  expect(poolSizeFor({ mappers: 100, each: 1 })).toBe(1);
});

it("a reserve that is too small is refused, with the size that it must have", () => {
  const load = { mappers: 2, each: 3 };
  expect(() => {
    assertPoolSize("stand-ins", 4, load);
  }).toThrow(
    new BlockError(
      "BLK_LIMITS",
      "EINVAL",
      "stand-ins: 4 in reserve, and 2 tasks that take 3 each before any comes back; give it 5",
    ),
  );
  expect(() => {
    assertPoolSize("stand-ins", 5, load);
  }).not.toThrow();
});

it("a device is given the pool that its arms reach, and none when they reach 4 GiB", () => {
  const scheduler = new VirtualScheduler();
  const memory = new Memory({ scheduler });
  const low = allocator(memory, "low");
  const pools = new PagePools({
    scheduler,
    ordinary: allocator(memory, "ordinary"),
    ordinaryTopFrame: 229_375,
    low,
  });
  expect(low.usedPages).toBe(0);
  expect(pools.poolFor(2 ** 20)).toBeNull();
  expect(pools.poolFor(229_375)).toBe(pools.ordinary);
  expect(pools.poolFor(4095)).toBe(pools.isa);
  expect(pools.poolFor(100)).toBe(pools.isa);
  expect([pools.ordinary.pool.minNr, pools.isa.pool.minNr]).toEqual([64, 16]);
  expect(low.usedPages).toBe(16);
});

it("pages go back to the reserve first, and to memory when that is full", async () => {
  const scheduler = new VirtualScheduler();
  const memory = new Memory({ scheduler });
  const source = allocator(memory, "low");
  const pages = new BouncePages({ scheduler, label: "pages", source, reserve: 2 });
  await scheduler.perform("mapper", (task) => {
    memory.faultPlan = failsAt(["low"]);
    const kept = pages.alloc(GFP_NOIO, task);
    memory.faultPlan = null;
    const taken = pages.alloc(GFP_NOIO, task);
    for (const page of [kept, taken]) if (page !== null && "bytes" in page) pages.free(page);
  });
  expect({ inReserve: pages.pool.currNr, used: source.usedPages }).toEqual({
    inReserve: 2,
    used: 2,
  });
  pages.destroy();
  expect(source.usedPages).toBe(0);
});

it("no memory for the reserve is an error that names the pages", () => {
  const scheduler = new VirtualScheduler();
  const memory = new Memory({ scheduler, faultPlan: failsAt(["low"]) });
  const make = (): BouncePages =>
    new BouncePages({ scheduler, label: "bounce pages of sda", source: allocator(memory, "low") });
  expect(make).toThrow(/ENOMEM|bounce pages of sda/);
});
