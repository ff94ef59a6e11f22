import { InvariantError } from "@blkstack/bio";
import { describe, expect, it } from "vitest";
import { Mutex } from "./mutex.ts";
import { AccessMode, type TaskBody } from "./scheduler.ts";
import { BioLists, SleepInAtomicError, type Task } from "./task.ts";
import { VirtualScheduler } from "./virtual.ts";
import { WorkItem } from "./work-item.ts";
import { WorkQueue } from "./work-queue.ts";

const DESK = { label: "desk", blockers: (): readonly object[] => [] };
const LIST = { object: { label: "list" }, mode: AccessMode.Write, label: "list" };

function nap(ms: number): TaskBody {
  return async (task) => {
    await task.scheduler.sleep(task, DESK, ms);
  };
}

describe("T10.1: an item that is queued while", () => {
  it("it is pending, runs once", async () => {
    const scheduler = new VirtualScheduler();
    const queue = new WorkQueue({ scheduler, name: "q" });
    let runs = 0;
    const item = new WorkItem("count", () => void (runs += 1));
    expect([queue.queue(item), queue.queue(item)]).toEqual([true, false]);
    expect([item.isPending, runs]).toEqual([true, 0]);
    await scheduler.run();
    expect([item.isPending, runs]).toEqual([false, 1]);
  });

  it.each([0, 1])(
    "it runs, runs once more, after its first run (maxActive %i)",
    async (maxActive) => {
      for (let seed = 0; seed < 100; seed += 1) {
        const scheduler = new VirtualScheduler({ seed });
        const queue = new WorkQueue({ scheduler, name: "q", maxActive });
        let story = "";
        const item = new WorkItem("i", async (task) => {
          story += "(";
          if (story.length === 1)
            expect([queue.queue(item), queue.queue(item)]).toEqual([true, false]);
          await scheduler.mayPreempt(task, LIST);
          story += ")";
        });
        queue.queue(item);
        // Gives other workers something to be there for.
        queue.queue(new WorkItem("other", (task) => scheduler.mayPreempt(task, LIST)));
        await scheduler.run();
        expect(story).toBe("()()");
      }
    },
  );

  it("it runs on another queue, runs there afterwards", async () => {
    const scheduler = new VirtualScheduler();
    const [one, two] = ["one", "two"].map((name) => new WorkQueue({ scheduler, name })) as [
      WorkQueue,
      WorkQueue,
    ];
    const workers: string[] = [];
    const item = new WorkItem("i", async (task) => {
      workers.push(task.name);
      if (workers.length > 1) return;
      two.queue(item);
      await scheduler.sleep(task, DESK, 10);
    });
    one.queue(item);
    await scheduler.run();
    expect(workers).toEqual(["worker of one"]);
    await scheduler.advance(10);
    expect(workers).toEqual(["worker of one", "worker of two"]);
  });
});

describe("T10.2: a list that is drained by an item", () => {
  async function strandedEntries(seed: number, queuesFirst: boolean): Promise<number> {
    const scheduler = new VirtualScheduler({ seed });
    const queue = new WorkQueue({ scheduler, name: "rescuer", maxActive: 1 });
    const list: number[] = [];
    const drain = new WorkItem("drain", async (task) => {
      do await scheduler.mayPreempt(task, LIST);
      while (list.shift() !== undefined);
    });
    for (const producer of ["p1", "p2"]) {
      scheduler.spawn(producer, async (task) => {
        for (let entry = 0; entry < 3; entry += 1) {
          await scheduler.mayPreempt(task, LIST);
          if (queuesFirst) queue.queue(drain);
          else list.push(entry);
          await scheduler.mayPreempt(task, LIST);
          if (queuesFirst) list.push(entry);
          else queue.queue(drain);
        }
      });
    }
    await scheduler.run();
    return list.length;
  }

  it("never keeps an entry that was added before the item was queued", async () => {
    for (let seed = 0; seed < 1000; seed += 1) expect(await strandedEntries(seed, false)).toBe(0);
  });

  it("strands some that were added after it", async () => {
    let schedulesWithStranded = 0;
    for (let seed = 0; seed < 1000; seed += 1) {
      if ((await strandedEntries(seed, true)) > 0) schedulesWithStranded += 1;
    }
    expect(schedulesWithStranded).toBeGreaterThan(0);
  });
});

describe("concurrency", () => {
  async function mostAtATime(maxActive: number): Promise<[number, string]> {
    const scheduler = new VirtualScheduler();
    const queue = new WorkQueue({ scheduler, name: "q", maxActive });
    let running = 0;
    let most = 0;
    let order = "";
    for (const name of "abcde") {
      const item = new WorkItem(name, async (task) => {
        order += name;
        running += 1;
        most = Math.max(most, running);
        await scheduler.sleep(task, DESK, 10);
        running -= 1;
      });
      queue.queue(item);
    }
    await scheduler.advance(1000);
    return [most, order];
  }

  it("items that sleep do not hold up others, as far as maxActive goes, and start in order", async () => {
    expect(await mostAtATime(1)).toEqual([1, "abcde"]);
    expect(await mostAtATime(3)).toEqual([3, "abcde"]);
    expect(await mostAtATime(0)).toEqual([5, "abcde"]);
  });

  it("items that do not sleep are done by one worker", async () => {
    const scheduler = new VirtualScheduler();
    const queue = new WorkQueue({ scheduler, name: "q" });
    const workers = new Set<number>();
    for (let n = 0; n < 10; n += 1) {
      queue.queue(new WorkItem(String(n), (task) => void workers.add(task.id)));
    }
    await scheduler.run();
    expect(workers.size).toBe(1);
    expect(scheduler.sleepers()).toEqual([]);
  });

  it("under a seed the items of an unordered queue start in any order, those of an ordered one in one", async () => {
    const orders = async (maxActive: number): Promise<Set<string>> => {
      const seen = new Set<string>();
      for (let seed = 0; seed < 200; seed += 1) {
        const scheduler = new VirtualScheduler({ seed });
        const queue = new WorkQueue({ scheduler, name: "q", maxActive });
        let order = "";
        for (const name of "ab") queue.queue(new WorkItem(name, () => void (order += name)));
        await scheduler.run();
        seen.add(order);
      }
      return seen;
    };
    expect(await orders(1)).toEqual(new Set(["ab"]));
    expect(await orders(0)).toEqual(new Set(["ab", "ba"]));
  });

  it("an item is queued from an interrupt, and runs in a task that holds and has parked nothing", async () => {
    const scheduler = new VirtualScheduler();
    const queue = new WorkQueue({ scheduler, name: "q" });
    let ran = false;
    const item = new WorkItem("i", (task) => {
      expect([task.bioLists, task.atomicDepth, scheduler.inInterrupt]).toEqual([null, 0, false]);
      ran = true;
    });
    scheduler.raise({ ...DESK, handleInterrupt: () => void queue.queue(item) }, undefined);
    await scheduler.run();
    expect(ran).toBe(true);
    queue.queue(new WorkItem("parks", (task) => void (task.bioLists = new BioLists())));
    await expect(scheduler.run()).rejects.toThrow("left a submission without finishing it");
  });

  it("an item that throws is reported, and the rest of the queue goes on", async () => {
    const scheduler = new VirtualScheduler();
    const queue = new WorkQueue({ scheduler, name: "q", maxActive: 1 });
    let ran = false;
    queue.queue(
      new WorkItem("bad", () => {
        throw new Error("bad item");
      }),
    );
    queue.queue(new WorkItem("good", () => void (ran = true)));
    await expect(scheduler.run()).rejects.toThrow("bad item");
    await scheduler.run();
    expect(ran).toBe(true);
    await scheduler.perform("destroyer", (task) => queue.destroy(task));
  });
});

describe("delayed items", () => {
  it("are pending until their time comes, and run then", async () => {
    const scheduler = new VirtualScheduler();
    const queue = new WorkQueue({ scheduler, name: "q" });
    const runsMs: number[] = [];
    const item = new WorkItem("i", () => void runsMs.push(scheduler.clock.nowMs()));
    expect(queue.queueDelayed(item, 10)).toBe(true);
    expect([queue.queueDelayed(item, 1), queue.queue(item), item.isPending]).toEqual([
      false,
      false,
      true,
    ]);
    await scheduler.advance(9);
    expect(runsMs).toEqual([]);
    await scheduler.advance(1);
    expect(queue.queueDelayed(item, 0)).toBe(true);
    await scheduler.run();
    expect(runsMs).toEqual([1010, 1010]);
  });

  it("are cancelled while they wait, for their time or for a worker", async () => {
    const scheduler = new VirtualScheduler();
    const queue = new WorkQueue({ scheduler, name: "q" });
    let runs = 0;
    const item = new WorkItem("i", () => void (runs += 1));
    queue.queueDelayed(item, 10);
    expect(queue.cancelDelayed(item)).toBe(true);
    expect(queue.cancelDelayed(item)).toBe(false);
    queue.queue(item);
    expect(queue.cancelDelayed(item)).toBe(true);
    await scheduler.advance(100);
    expect(runs).toBe(0);
    await scheduler.perform("p", (task) => queue.drain(task));
  });

  it("that fall due on a destroyed queue are a use after free", async () => {
    const scheduler = new VirtualScheduler();
    const queue = new WorkQueue({ scheduler, name: "q" });
    const item = new WorkItem("i", () => undefined);
    queue.queueDelayed(item, 10);
    await scheduler.perform("p", (task) => queue.destroy(task));
    await expect(scheduler.advance(10)).rejects.toThrow('use after free: work item "i"');
    expect(() => queue.queue(new WorkItem("j", () => undefined))).toThrow(InvariantError);
  });
});

describe("flush and cancelSync", () => {
  it("flush waits for the run that is pending, not for one that is queued later", async () => {
    const scheduler = new VirtualScheduler();
    const queue = new WorkQueue({ scheduler, name: "q" });
    const endsMs: number[] = [];
    const item = new WorkItem("i", async (task) => {
      if (endsMs.length < 2) queue.queue(item);
      await scheduler.sleep(task, DESK, 10);
      endsMs.push(scheduler.clock.nowMs());
    });
    queue.queue(item);
    let flushedMs = 0;
    scheduler.spawn("flusher", async (task) => {
      expect(await queue.flush(item, task)).toBe(true);
      flushedMs = scheduler.clock.nowMs();
    });
    await scheduler.advance(100);
    expect([flushedMs, ...endsMs]).toEqual([1020, 1010, 1020, 1030]);
    await scheduler.perform("again", (task) => {
      expect(queue.flush(item, task)).toBe(false);
    });
  });

  it("cancelSync takes a pending run back, waits for the one in progress, and keeps it from coming back", async () => {
    const scheduler = new VirtualScheduler();
    const queue = new WorkQueue({ scheduler, name: "q" });
    let runs = 0;
    const item = new WorkItem("i", async (task) => {
      runs += 1;
      queue.queue(item);
      await scheduler.sleep(task, DESK, 10);
      expect(queue.queue(item)).toBe(false);
    });
    queue.queue(item);
    await scheduler.advance(5);
    let wasPending: boolean | null = null;
    scheduler.spawn("canceler", async (task) => {
      wasPending = await queue.cancelSync(item, task);
    });
    await scheduler.run();
    expect(scheduler.sleepers().map((task) => task.waitingFor?.label)).toEqual([
      "desk",
      'work item "i"',
    ]);
    await scheduler.advance(100);
    expect([wasPending, runs, item.isPending, item.isRunning]).toEqual([true, 1, false, false]);
    await scheduler.perform("again", (task) => {
      expect(queue.cancelSync(item, task)).toBe(false);
    });
    expect(queue.queue(item)).toBe(true);
  });

  it("in a thousand schedules, after cancelSync the item is idle and no run is cut short", async () => {
    for (let seed = 0; seed < 1000; seed += 1) {
      const scheduler = new VirtualScheduler({ seed });
      const queue = new WorkQueue({ scheduler, name: "q" });
      let running = 0;
      const item = new WorkItem("i", async (task) => {
        running += 1;
        await scheduler.mayPreempt(task, LIST);
        running -= 1;
      });
      scheduler.spawn("queuer", async (task) => {
        for (let n = 0; n < 2; n += 1) {
          queue.queue(item);
          await scheduler.mayPreempt(task, LIST);
        }
        await queue.cancelSync(item, task);
        expect([item.isPending, item.isRunning, running]).toEqual([false, false, 0]);
        await queue.destroy(task);
      });
      await scheduler.run();
      expect(scheduler.sleepers()).toEqual([]);
    }
  });

  it("in a thousand schedules, what was queued either ran or was cancelled, also when a worker had it in hand", async () => {
    let cancelCount = 0;
    for (let seed = 0; seed < 1000; seed += 1) {
      const scheduler = new VirtualScheduler({ seed });
      const queue = new WorkQueue({ scheduler, name: "q" });
      let balance = 0;
      const item = new WorkItem("i", () => void (balance -= 1));
      scheduler.spawn("fickle", async (task) => {
        for (let n = 0; n < 3; n += 1) {
          if (queue.queue(item)) balance += 1;
          await scheduler.mayPreempt(task, LIST);
          if (!queue.cancelDelayed(item)) continue;
          balance -= 1;
          cancelCount += 1;
        }
      });
      await scheduler.run();
      expect([balance, item.isPending]).toEqual([0, false]);
    }
    expect(cancelCount).toBeGreaterThan(0);
  });

  // T10.8
  it("flushing an item that needs a lock which the caller holds is a deadlock, and says whose", async () => {
    const { scheduler, flusher, worker, mutex, item } = await flushHoldingLock();
    expect(scheduler.sleepers()).toEqual([flusher, worker]);
    expect(flusher.waitingFor?.label).toBe('work item "w"');
    expect(flusher.waitingFor?.blockers()).toEqual([worker]);
    expect(item.blockers()).toEqual([worker]);
    expect(worker?.blockers()).toEqual([mutex]);
    expect(mutex.blockers()).toEqual([flusher]);
  });

  it("an item that flushes itself waits for itself", async () => {
    const scheduler = new VirtualScheduler();
    const queue = new WorkQueue({ scheduler, name: "q" });
    const item = new WorkItem("i", async (task) => {
      await queue.flush(item, task);
    });
    queue.queue(item);
    await scheduler.run();
    const [worker] = scheduler.sleepers();
    expect(worker?.waitingFor?.blockers()).toEqual([worker]);
  });

  it("nobody flushes, cancels or drains where sleeping is forbidden", async () => {
    const scheduler = new VirtualScheduler();
    const queue = new WorkQueue({ scheduler, name: "q" });
    const item = new WorkItem("i", () => undefined);
    await scheduler.perform("a", (task) => {
      task.atomicDepth = 1;
      expect(() => queue.flush(item, task)).toThrow(SleepInAtomicError);
      expect(() => queue.cancelSync(item, task)).toThrow(SleepInAtomicError);
      expect(() => queue.drain(task)).toThrow(SleepInAtomicError);
      task.atomicDepth = 0;
    });
  });
});

describe("T10.4: a queue that is destroyed", () => {
  it("lets an item that queues itself run to its end", async () => {
    const scheduler = new VirtualScheduler();
    const queue = new WorkQueue({ scheduler, name: "q" });
    let extraRuns = -1;
    const item = new WorkItem("i", async (task) => {
      extraRuns += 1;
      await scheduler.sleep(task, DESK, 10);
      if (extraRuns < 3) expect(queue.queue(item, task)).toBe(true);
    });
    queue.queue(item);
    scheduler.spawn("destroyer", (task) => queue.destroy(task));
    await scheduler.advance(100);
    expect(extraRuns).toBe(3);
    expect(scheduler.warnings).toEqual([]);
    expect(() => queue.queue(item)).toThrow("use after free");
  });

  it("drops what others queue meanwhile, with a warning, and leaves it pending for ever", async () => {
    const scheduler = new VirtualScheduler();
    const queue = new WorkQueue({ scheduler, name: "q" });
    let foreignRuns = 0;
    const foreign = new WorkItem("foreign", () => void (foreignRuns += 1));
    queue.queue(new WorkItem("slow", nap(10)));
    scheduler.spawn("drainer", (task) => queue.drain(task));
    await scheduler.run();
    expect(queue.queue(foreign)).toBe(true);
    await scheduler.advance(100);
    expect(scheduler.warnings).toEqual([
      'work item "foreign" dropped: work queue "q" is being drained',
    ]);
    expect([foreignRuns, foreign.isPending, queue.queue(foreign)]).toEqual([0, true, false]);
    expect(scheduler.sleepers()).toEqual([]);
  });
});

async function flushHoldingLock(): Promise<{
  scheduler: VirtualScheduler;
  flusher: Task;
  worker: Task | undefined;
  mutex: Mutex;
  item: WorkItem;
}> {
  const scheduler = new VirtualScheduler();
  const queue = new WorkQueue({ scheduler, name: "q" });
  const mutex = new Mutex("L");
  const item = new WorkItem("w", async (task) => {
    await mutex.lock(task);
    mutex.unlock(task);
  });
  const flusher = scheduler.spawn("flusher", async (task) => {
    await mutex.lock(task);
    queue.queue(item);
    await queue.flush(item, task);
  });
  await scheduler.run();
  const worker = scheduler.sleepers().find((task) => task !== flusher);
  return { scheduler, flusher, worker, mutex, item };
}
