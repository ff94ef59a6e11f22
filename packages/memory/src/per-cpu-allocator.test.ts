import { GFP_KERNEL, GFP_NOWAIT, type Task } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { expect, it } from "vitest";
import { allFail } from "./fault-plan.ts";
import { Memory } from "./memory.ts";
import { PerCpuAllocator } from "./per-cpu-allocator.ts";

function setting(pages?: number): { scheduler: VirtualScheduler; memory: Memory } {
  const scheduler = new VirtualScheduler();
  const budget = pages === undefined ? {} : { pages: { totalPages: pages, minPages: 0 } };
  return { scheduler, memory: new Memory({ scheduler, ...budget }) };
}

it("gives each cpu words of its own, a cache line apart from the next one's, and sums them", async () => {
  const { scheduler, memory } = setting();
  const allocator = new PerCpuAllocator({ memory, cpus: 3 });
  const block = await scheduler.perform("t", (task) => allocator.alloc(9, GFP_KERNEL, task));
  expect(block?.strideWords).toBe(16);
  for (const cpu of [0, 1, 2]) block?.values.set([cpu + 1], cpu * 16 + 8);
  expect([block?.sum(8), block?.sum(7)]).toEqual([6, 0]);
});

it("hands out zeroes, whatever the last user left", () => {
  const { memory } = setting();
  const allocator = new PerCpuAllocator({ memory });
  const first = allocator.tryAlloc(4, GFP_NOWAIT);
  first?.values.fill(7);
  if (first !== null) allocator.free(first);
  const second = allocator.tryAlloc(4, GFP_NOWAIT);
  expect(second).toBe(first);
  expect(second?.sum(0)).toBe(0);
});

it("lets one task at a time allocate, and those behind it wait even when they may not", async () => {
  const { scheduler, memory } = setting(1);
  const allocator = new PerCpuAllocator({ memory });
  expect(memory.tryTakePages(1, GFP_NOWAIT, "all")).toBe(true);
  const log: string[] = [];
  const allocate = async (task: Task, gfp: number): Promise<void> => {
    const block = await allocator.alloc(4, gfp, task);
    log.push(`${task.name} ${block === null ? "got none" : "has a block"}`);
  };
  scheduler.spawn("patient", (task) => allocate(task, GFP_KERNEL));
  scheduler.spawn("hasty", (task) => allocate(task, GFP_NOWAIT));
  await scheduler.runTasks();
  expect([log, allocator.tryAlloc(4, GFP_NOWAIT)]).toEqual([[], null]);
  memory.givePages(1);
  await scheduler.runTasks();
  expect(log).toEqual(["patient has a block", "hasty has a block"]);
});

it("answers null without memory, and unlocks", async () => {
  const { scheduler, memory } = setting();
  const allocator = new PerCpuAllocator({ memory });
  memory.faultPlan = allFail;
  const allocate = (task: Task): Promise<unknown> =>
    Promise.resolve(allocator.alloc(4, GFP_KERNEL, task));
  expect(await scheduler.perform("t", allocate)).toBeNull();
  memory.faultPlan = null;
  expect(await scheduler.perform("t", allocate)).not.toBeNull();
  expect(allocator.liveCount).toBe(1);
});

it("refuses a block that is given back twice", () => {
  const { memory } = setting();
  const allocator = new PerCpuAllocator({ memory });
  const block = allocator.tryAlloc(4, GFP_NOWAIT);
  if (block === null) throw new Error("no block");
  allocator.free(block);
  expect(() => {
    allocator.free(block);
  }).toThrow("double free: a block of per-cpu memory");
});
