import { GFP_KERNEL, GFP_NOFS, GFP_NOIO, GfpBit, type Task, type Waitable } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { describe, expect, it } from "vitest";
import { AnonymousPages } from "./anonymous-pages.ts";
import { withNoFs } from "./gfp-scope.ts";
import { Memory } from "./memory.ts";
import { type SwapDevice, SwapSpace } from "./swap-space.ts";

const WRITE_MS = 10;
const IO: Waitable = { label: "I/O of the swap device", blockers: () => [] };

class Disk implements SwapDevice {
  isBroken = false;
  readonly transfers: string[] = [];

  async writeOut(pages: number, task: Task): Promise<boolean> {
    this.transfers.push(`${task.name} writes ${String(pages)}`);
    await task.scheduler.sleep(task, IO, WRITE_MS);
    return !this.isBroken;
  }

  async readIn(pages: number, task: Task): Promise<boolean> {
    this.transfers.push(`${task.name} reads ${String(pages)}`);
    await task.scheduler.sleep(task, IO, WRITE_MS);
    return !this.isBroken;
  }
}

interface Rig {
  readonly scheduler: VirtualScheduler;
  readonly memory: Memory;
  readonly disk: Disk;
  readonly heap: AnonymousPages;
  readonly run: (name: string, body: (task: Task) => Promise<void>) => Promise<void>;
}

function rigOf(swapPages: number, joinedScopes = false): Rig {
  const scheduler = new VirtualScheduler();
  const memory = new Memory({ scheduler, pages: { totalPages: 10 }, joinedScopes });
  const disk = new Disk();
  memory.swap = new SwapSpace(disk, swapPages);
  const heap = new AnonymousPages(memory, "heap");
  const run: Rig["run"] = async (name, body) => {
    scheduler.spawn(name, body);
    await scheduler.advance(10 * WRITE_MS - 1);
  };
  return { scheduler, memory, disk, heap, run };
}

describe("anonymous pages", () => {
  it("go to the swap space when memory is short, and come back when they are needed", async () => {
    const { memory, disk, heap, run } = rigOf(20);
    await run("program", async (task) => {
      await heap.grow(10, GFP_KERNEL, task);
      expect(await memory.takePages(3, GFP_KERNEL, task, "file")).toBe(true);
      expect([heap.residentPages, heap.swappedPages, memory.swap?.freePages]).toEqual([7, 3, 17]);
      memory.givePages(3);
      expect(await heap.bringIn(GFP_KERNEL, task)).toBe(true);
      expect([heap.residentPages, heap.swappedPages, memory.swap?.freePages]).toEqual([10, 0, 20]);
      heap.shrink(10);
    });
    expect(disk.transfers).toEqual(["program writes 3", "program reads 3"]);
    expect(memory.freePages).toBe(10);
    expect(memory.counters).toMatchObject({ swapOuts: 3, swapOutsFromNofs: 0 });
  });

  it("are swapped out for a filesystem too, for that takes I/O but no filesystem", async () => {
    const { memory, heap, run } = rigOf(20);
    const taken: boolean[] = [];
    await run("fs", async (task) => {
      await heap.grow(10, GFP_KERNEL, task);
      taken.push(await memory.takePages(2, GFP_NOFS, task, "inode"));
      taken.push(await withNoFs(task, () => memory.takePages(1, GFP_KERNEL, task, "inode")));
    });
    expect(taken).toEqual([true, true]);
    expect(memory.counters).toMatchObject({ swapOuts: 3, swapOutsFromNofs: 3, stalls: 0 });
  });

  it("stay where the scopes are joined, so that a filesystem gets no memory any more", async () => {
    const { memory, heap, run, disk } = rigOf(20, true);
    const taken: boolean[] = [];
    await run("fs", async (task) => {
      await heap.grow(10, GFP_KERNEL, task);
      taken.push(await memory.takePages(1, GFP_NOFS | GfpBit.NoRetry, task, "inode"));
      taken.push(await memory.takePages(1, GFP_NOFS, task, "inode"));
    });
    expect([taken, disk.transfers]).toEqual([[false], []]);
    expect(memory.counters).toMatchObject({ swapOutsFromNofs: 0, stalls: 1 });
  });

  it("stay for who may not start I/O, and when there is no room or the device fails", async () => {
    for (const [swapPages, isBroken, gfp] of [
      [20, false, GFP_NOIO],
      [0, false, GFP_KERNEL],
      [20, true, GFP_KERNEL],
    ] as const) {
      const { memory, disk, heap, run } = rigOf(swapPages);
      const taken: boolean[] = [];
      disk.isBroken = isBroken;
      await run("program", async (task) => {
        await heap.grow(10, GFP_KERNEL, task);
        taken.push(await memory.takePages(1, gfp | GfpBit.NoRetry, task, "file"));
      });
      expect(taken).toEqual([false]);
      expect([heap.residentPages, heap.swappedPages]).toEqual([10, 0]);
      expect(memory.swap?.freePages).toBe(swapPages);
    }
  });

  it("that push one another out are read in once, not for ever", async () => {
    const { memory, disk, heap, run } = rigOf(20);
    await run("program", async (task) => {
      await heap.grow(10, GFP_KERNEL, task);
      await memory.takePages(4, GFP_KERNEL, task, "file");
      expect(await heap.bringIn(GFP_KERNEL, task)).toBe(true);
      expect([heap.residentPages, heap.swappedPages]).toEqual([6, 4]);
    });
    expect(disk.transfers).toEqual(["program writes 4", "program writes 4", "program reads 4"]);
  });

  it("can be given back while they are written, and while they are read", async () => {
    const { memory, heap, run, scheduler } = rigOf(20);
    scheduler.spawn("exits", async (task) => {
      await heap.grow(10, GFP_KERNEL, task);
      await scheduler.sleep(task, IO, WRITE_MS / 2);
      heap.shrink(8);
      expect([heap.residentPages, memory.freePages]).toEqual([4, 6]);
      await scheduler.sleep(task, IO, WRITE_MS);
      expect([heap.residentPages, heap.swappedPages]).toEqual([0, 2]);
      scheduler.spawn("faults", async (faulting) => {
        expect(await heap.bringIn(GFP_KERNEL, faulting)).toBe(true);
      });
      await scheduler.sleep(task, IO, WRITE_MS / 2);
      heap.shrink(2);
      expect(() => {
        heap.shrink(1);
      }).toThrow("no such pages");
    });
    await run("hog", async (task) => {
      expect(await memory.takePages(4, GFP_KERNEL, task, "file")).toBe(true);
    });
    expect([heap.residentPages, heap.swappedPages, memory.swap?.freePages]).toEqual([0, 0, 20]);
    expect(memory.freePages).toBe(6);
  });
});
