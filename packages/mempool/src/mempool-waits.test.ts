import { GFP_NOIO, GFP_NOWAIT, GfpBit, type Task } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { beforeEach, describe, expect, it } from "vitest";
import { type Element, TestMemory } from "../test/test-memory.ts";
import { Mempool } from "./mempool.ts";

let scheduler: VirtualScheduler;
let memory: TestMemory;

beforeEach(() => {
  scheduler = new VirtualScheduler();
  memory = new TestMemory();
});

const poolOf = (minNr: number): Mempool<Element> =>
  new Mempool({ scheduler, label: "pool", allocator: memory, minNr });

/** Starts a task that allocates; what it got is in the list. */
function spawnTaker(pool: Mempool<Element>, name: string, got: (Element | null)[]): Task {
  return scheduler.spawn(name, async (task) => {
    got.push(await pool.alloc(GFP_NOIO, task));
  });
}

describe("memory that must be reclaimed first", () => {
  it("is waited for once, and its element is as good as any other", async () => {
    const pool = poolOf(1);
    memory.needsWait = true;
    const got: (Element | null)[] = [];
    await scheduler.perform("holder", (task) => pool.alloc(GFP_NOWAIT, task));
    spawnTaker(pool, "A", got);
    await scheduler.advance(1);
    expect([got.length, pool.waits]).toEqual([1, 1]);
    pool.free(got[0] ?? null);
    expect([pool.liveCount, pool.currNr]).toEqual([1, 1]);
  });

  it("ends with null for who may do I/O but not wait for an element", async () => {
    const pool = poolOf(1);
    memory.needsWait = true;
    const got: (Element | null)[] = [];
    scheduler.spawn("task", async (task) => {
      await pool.alloc(GFP_NOWAIT, task);
      got.push(await pool.alloc(GfpBit.Io, task));
    });
    await scheduler.advance(1);
    expect(got).toEqual([null]);
  });

  it("is not waited for when it is there after all", async () => {
    const pool = poolOf(1);
    memory.isOnlyForPatient = true;
    await scheduler.perform("task", async (task) => {
      await pool.alloc(GFP_NOWAIT, task);
      const element = pool.alloc(GFP_NOIO, task);
      expect(element).toEqual({ n: 2 });
      expect([pool.liveCount, pool.waits]).toEqual([2, 0]);
    });
  });
});

describe("one element that comes back", () => {
  it("wakes one sleeper, and the others do not look for it in vain", async () => {
    const pool = poolOf(1);
    memory.isEmpty = true;
    const held = await scheduler.perform("holder", (task) => pool.alloc(GFP_NOWAIT, task));
    const got: (Element | null)[] = [];
    for (const name of ["A", "B"]) spawnTaker(pool, name, got);
    await scheduler.run();
    memory.masks.length = 0;
    pool.free(held);
    await scheduler.run();
    expect(got).toEqual([held]);
    expect(memory.masks).toHaveLength(1);
  });
});

describe("a pool that grows", () => {
  /** A pool of one with one more element live, growing to two while memory is reclaimed. */
  async function growing(): Promise<{ pool: Mempool<Element>; live: Element | null }> {
    const pool = poolOf(1);
    const live = await scheduler.perform("holder", (task) => pool.alloc(GFP_NOWAIT, task));
    memory.needsWait = true;
    scheduler.spawn("grower", async (task) => {
      await pool.resize(2, task);
    });
    await scheduler.run();
    return { pool, live };
  }

  it("asks memory for what it lacks and no more", async () => {
    const { pool } = await growing();
    memory.masks.length = 0;
    await scheduler.advance(10);
    expect([pool.currNr, memory.masks.length, memory.frees]).toEqual([2, 1, 0]);
  });

  it("gives back what memory found when a free was faster", async () => {
    const { pool, live } = await growing();
    pool.free(live);
    await scheduler.advance(10);
    expect([pool.currNr, memory.frees]).toEqual([2, 1]);
  });

  it("gives back what memory found when the pool has ended meanwhile", async () => {
    const { pool, live } = await growing();
    pool.free(live);
    pool.destroy();
    await scheduler.advance(10);
    expect([pool.currNr, memory.frees]).toEqual([0, 3]);
  });

  it("does not wait to become as large as it is", async () => {
    const pool = poolOf(2);
    await scheduler.perform("task", (task) => {
      expect(pool.resize(2, task)).toBeUndefined();
      expect(pool.resize(1, task)).toBeUndefined();
    });
  });
});

describe("what is no pool", () => {
  it.each([0, -1, 1.5, NaN])("is one with a reserve of %d", (minNr) => {
    expect(() => poolOf(minNr)).toThrow("pool: a pool without a reserve");
  });

  it("is one whose reserve memory cannot fill, which is said with its name and an errno", () => {
    memory.isEmpty = true;
    expect(() => poolOf(1)).toThrow(
      expect.objectContaining({
        name: "OutOfMemoryError",
        errno: "ENOMEM",
        message: "no memory for the reserve of pool",
      }) as Error,
    );
  });
});

describe("memory that keeps no list of its pools", () => {
  it("serves as well", () => {
    const allocator = { tryAlloc: () => ({}), alloc: () => ({}), free: () => undefined };
    const pool = new Mempool({ scheduler, label: "pool", allocator, minNr: 1 });
    pool.destroy();
    expect(pool.currNr).toBe(0);
  });
});

describe("after its end a pool", () => {
  it("gives nothing, does not change its size, and does not end again", async () => {
    const pool = poolOf(1);
    pool.destroy();
    await scheduler.perform("task", (task) => {
      for (const use of [
        () => pool.alloc(GFP_NOWAIT, task),
        () => pool.resize(1, task),
        () => {
          pool.destroy();
        },
      ]) {
        expect(use).toThrow("use after free: pool was destroyed");
      }
    });
  });

  it("fails who slept on it, when it wakes up, though memory is back", async () => {
    const pool = poolOf(1);
    memory.isEmpty = true;
    await scheduler.perform("holder", (task) => pool.alloc(GFP_NOWAIT, task));
    spawnTaker(pool, "sleeper", []);
    await scheduler.run();
    pool.destroy();
    memory.isEmpty = false;
    await expect(scheduler.advance(5000)).rejects.toThrow("use after free: pool was destroyed");
  });
});
