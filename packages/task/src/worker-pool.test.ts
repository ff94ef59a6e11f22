import { describe, expect, it, vi } from "vitest";
import type { TaskBody } from "./scheduler.ts";
import type { Task } from "./task.ts";
import { VirtualScheduler } from "./virtual.ts";
import { WorkItem } from "./work-item.ts";
import { WorkQueue } from "./work-queue.ts";
import { WorkerPool } from "./worker-pool.ts";

const DESK = { label: "desk", blockers: (): readonly object[] => [] };

function nap(ms: number): TaskBody {
  return async (task) => {
    await task.scheduler.sleep(task, DESK, ms);
  };
}

describe("T10.3: while no worker can be created", () => {
  it("a queue with the guarantee has its items run after 10 ms, one at a time, by its rescuer", async () => {
    const scheduler = new VirtualScheduler();
    const pool = new WorkerPool({ canCreateWorker: () => false });
    const queue = new WorkQueue({ scheduler, name: "md0", reclaimGuaranteed: true, pool });
    const story: string[] = [];
    for (const name of ["a", "b"]) {
      const item = new WorkItem(name, async (task) => {
        story.push(`${String(scheduler.clock.nowMs())} ${task.name} ${name}`);
        await scheduler.sleep(task, DESK, 5);
      });
      queue.queue(item);
    }
    await scheduler.advance(9);
    expect(story).toEqual([]);
    await scheduler.advance(1);
    await scheduler.advance(100);
    expect(story).toEqual(["1010 rescuer of md0 a", "1015 rescuer of md0 b"]);
    expect(scheduler.sleepers()).toEqual([]);
    queue.queue(new WorkItem("c", () => void story.push(String(scheduler.clock.nowMs()))));
    await scheduler.advance(10);
    expect(story.at(-1)).toBe("1120");
  });

  it("a queue without it waits, until one can be created", async () => {
    const scheduler = new VirtualScheduler();
    let hasMemory = false;
    const pool = new WorkerPool({ canCreateWorker: () => hasMemory });
    const queue = new WorkQueue({ scheduler, name: "stats", pool });
    let ran = false;
    const item = new WorkItem("alloc", () => void (ran = true));
    queue.queue(item);
    await scheduler.advance(100_000);
    expect(ran).toBe(false);
    expect(item.blockers()).toEqual([queue]);
    expect(queue.blockers()).toEqual([pool]);
    expect(pool.blockers()).toEqual([]);
    hasMemory = true;
    await scheduler.advance(100);
    expect(ran).toBe(true);
    expect(queue.blockers()).toEqual([]);
  });

  it("the timer that asks again counts as a hope only while a rescuer is free to come", () => {
    for (const reclaimGuaranteed of [true, false]) {
      const scheduler = new VirtualScheduler();
      const startTimer = vi.spyOn(scheduler, "startTimer");
      const pool = new WorkerPool({ canCreateWorker: () => false });
      const queue = new WorkQueue({ scheduler, name: "q", reclaimGuaranteed, pool });
      queue.queue(new WorkItem("i", () => undefined));
      expect(startTimer.mock.lastCall?.[0].isRetry).toBe(!reclaimGuaranteed);
    }
  });

  async function itemWaitsForItem(hasMemory: boolean): Promise<Task[]> {
    const scheduler = new VirtualScheduler();
    const pool = new WorkerPool({ canCreateWorker: () => hasMemory });
    const queue = new WorkQueue({ scheduler, name: "q", reclaimGuaranteed: true, pool });
    const b = new WorkItem("b", () => undefined);
    const a = new WorkItem("a", async (task) => {
      queue.queue(b);
      await queue.flush(b, task);
    });
    queue.queue(a);
    await scheduler.advance(100_000);
    return scheduler.sleepers();
  }

  it("an item that waits for another of its queue deadlocks with the rescuer, and only then", async () => {
    expect(await itemWaitsForItem(true)).toEqual([]);
    const [rescuer, ...others] = await itemWaitsForItem(false);
    expect(others).toEqual([]);
    expect(rescuer?.name).toBe("rescuer of q");
    const [queue] = (rescuer?.waitingFor?.blockers() ?? []) as WorkQueue[];
    expect(queue).toBeInstanceOf(WorkQueue);
    const [first, pool] = queue?.blockers() ?? [];
    expect(first).toBe(rescuer);
    expect((pool as WorkerPool).blockers()).toEqual([]);
  });

  it("waiting on behalf of reclaim for a queue without the guarantee is warned of", async () => {
    const scheduler = new VirtualScheduler();
    const sure = new WorkQueue({ scheduler, name: "sure", reclaimGuaranteed: true });
    const unsure = new WorkQueue({ scheduler, name: "unsure" });
    const item = new WorkItem("i", () => undefined);
    sure.queue(
      new WorkItem("waits", async (task) => {
        unsure.queue(item);
        await unsure.flush(item, task);
      }),
    );
    await scheduler.run();
    expect(scheduler.warnings).toEqual([
      'worker of sure, which reclaim depends on, waits for work item "i" of work queue "unsure", which may find no worker',
    ]);
  });
});

describe("a shared pool", () => {
  it("gives a worker that is done to the queue that waits for one", async () => {
    const scheduler = new VirtualScheduler();
    let workersLeft = 1;
    const pool = new WorkerPool({ canCreateWorker: () => workersLeft-- > 0 });
    const [first, second] = ["first", "second"].map(
      (name) => new WorkQueue({ scheduler, name, pool }),
    ) as [WorkQueue, WorkQueue];
    let ranMs = 0;
    first.queue(new WorkItem("slow", nap(25)));
    second.queue(new WorkItem("quick", () => void (ranMs = scheduler.clock.nowMs())));
    await scheduler.advance(20);
    const [busy] = scheduler.sleepers();
    expect(pool.blockers()).toEqual([busy]);
    await scheduler.advance(5);
    expect(ranMs).toBe(1025);
    await scheduler.advance(100);
    expect(pool.blockers()).toEqual([]);
    // The worker is kept, and needs no memory to come back.
    first.queue(new WorkItem("later", () => void (ranMs = scheduler.clock.nowMs())));
    await scheduler.run();
    expect(ranMs).toBe(1125);
  });
});
