import {
  type Access,
  AccessMode,
  GFP_ATOMIC,
  GFP_NOIO,
  GFP_NOWAIT,
  type Task,
  type Waitable,
  type WakeReason,
} from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { describe, expect, it } from "vitest";
import { TestMemory } from "../test/test-memory.ts";
import { Mempool } from "./mempool.ts";

/** Writes down what an explorer would be told. */
class WatchedScheduler extends VirtualScheduler {
  /** Each access, and whether another task could have come before it. */
  readonly accesses: [Access, "may be preempted" | "told only"][] = [];
  /** For each sleep, whether its timeout is a retry rather than news of its own. */
  readonly retries: (boolean | undefined)[] = [];

  override readonly touch = (access: Access): void => {
    this.accesses.push([access, "told only"]);
  };

  override mayPreempt(task: Task, access: Access): Promise<void> | undefined {
    this.accesses.push([access, "may be preempted"]);
    return super.mayPreempt(task, access);
  }

  override sleep(
    task: Task,
    on: Waitable,
    timeoutMs?: number,
    isRetry?: boolean,
  ): Promise<WakeReason> {
    this.retries.push(isRetry);
    return super.sleep(task, on, timeoutMs, isRetry);
  }
}

function poolOn(scheduler: VirtualScheduler): { pool: Mempool<object>; memory: TestMemory } {
  const memory = new TestMemory();
  return { pool: new Mempool({ scheduler, label: "pool", allocator: memory, minNr: 1 }), memory };
}

describe("while exploring", () => {
  it("an allocation takes from the pool after whoever may come first, and a free gives to it", async () => {
    const scheduler = new WatchedScheduler();
    const { pool } = poolOn(scheduler);
    await scheduler.perform("task", async (task) => {
      pool.free(await pool.alloc(GFP_NOIO, task));
    });
    expect(scheduler.accesses).toEqual([
      [{ object: pool, mode: AccessMode.Acquire, label: "alloc from pool" }, "may be preempted"],
      [{ object: pool, mode: AccessMode.Release, label: "free to pool" }, "told only"],
    ]);
  });

  it("nobody comes before the allocation of who is atomic", async () => {
    const scheduler = new WatchedScheduler();
    const { pool } = poolOn(scheduler);
    await scheduler.perform("task", (task) => {
      task.atomicDepth = 1;
      expect(pool.alloc(GFP_ATOMIC, task)).not.toBeNull();
      task.atomicDepth = 0;
    });
    expect(scheduler.accesses.map(([, how]) => how)).toEqual(["told only"]);
  });

  it("a sleeper takes from the pool again, and its 5 s are a retry, which no explorer need try", async () => {
    const scheduler = new WatchedScheduler();
    const { pool, memory } = poolOn(scheduler);
    memory.isEmpty = true;
    const held = await scheduler.perform("holder", (task) => pool.alloc(GFP_NOWAIT, task));
    scheduler.spawn("sleeper", async (task) => {
      await pool.alloc(GFP_NOIO, task);
    });
    await scheduler.run();
    pool.free(held);
    await scheduler.run();
    expect(scheduler.retries).toEqual([true]);
    expect(scheduler.accesses.map(([{ mode }]) => mode)).toEqual([
      AccessMode.Acquire,
      AccessMode.Acquire,
      AccessMode.Release,
      AccessMode.Acquire,
    ]);
  });

  it("somebody who waits may be helped by memory, until memory is exhausted", () => {
    const { pool, memory } = poolOn(new VirtualScheduler());
    expect(pool.endsBy).toBeUndefined();
    memory.isExhausted = true;
    expect(pool.endsBy).toBe("any");
  });
});

describe("without exploration", () => {
  it("no allocation and no free is told to anybody", async () => {
    const scheduler = new WatchedScheduler({ isExploring: false });
    const { pool } = poolOn(scheduler);
    await scheduler.perform("task", async (task) => {
      pool.free(await pool.alloc(GFP_NOIO, task));
    });
    expect(scheduler.accesses).toEqual([]);
  });
});
