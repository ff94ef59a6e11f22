import {
  GFP_ATOMIC,
  GFP_KERNEL,
  GFP_NOFS,
  GFP_NOIO,
  GFP_NOWAIT,
  GfpBit,
  gfpName,
  SleepInAtomicError,
  type Task,
} from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Mempool, OutOfMemoryError } from "./mempool.ts";
import { type Element, TestMemory } from "../test/test-memory.ts";

const POOL_BITS = GfpBit.NoMemalloc | GfpBit.NoRetry | GfpBit.NoWarn;

function poolOf(
  minNr: number,
  scheduler: VirtualScheduler = new VirtualScheduler(),
): { pool: Mempool<Element>; memory: TestMemory; scheduler: VirtualScheduler } {
  const memory = new TestMemory();
  const pool = new Mempool({ scheduler, label: "pool", allocator: memory, minNr });
  memory.masks.length = 0;
  return { pool, memory, scheduler };
}

/** An element that must be there at once. */
async function take(pool: Mempool<Element>, task: Task): Promise<Element> {
  const element = await pool.alloc(GFP_NOWAIT, task);
  if (element === null) throw new Error("no element");
  return element;
}

describe("a reserve", () => {
  it("is all that there is when memory fails, and is refilled first (T3.1)", async () => {
    const { pool, memory, scheduler } = poolOf(2);
    memory.isEmpty = true;
    await scheduler.perform("task", async (task) => {
      const first = await take(pool, task);
      await take(pool, task);
      expect(await pool.alloc(GFP_NOWAIT, task)).toBeNull();
      pool.free(null);
      expect(pool.currNr).toBe(0);
      pool.free(first);
      expect(pool.currNr).toBe(1);
      expect(await take(pool, task)).toBe(first);
    });
    expect(memory.frees).toBe(0);
  });

  it("is left alone while memory lasts, and what comes back goes there (T3.2)", async () => {
    const { pool, memory, scheduler } = poolOf(2);
    await scheduler.perform("task", async (task) => {
      const elements: Element[] = [];
      while (elements.length < 5) elements.push(await take(pool, task));
      expect([pool.currNr, pool.liveCount]).toEqual([2, 5]);
      for (const element of elements) pool.free(element);
    });
    expect([pool.currNr, pool.liveCount, memory.frees]).toEqual([2, 0, 5]);
  });

  it("is listed until its end, with what was taken from it for want of memory", async () => {
    const { pool, memory, scheduler } = poolOf(3);
    expect([...memory.reserves]).toEqual([pool]);
    const figures = (): number[] => [pool.currNr, pool.lowestNr, pool.fromReserve, pool.waits];
    await scheduler.perform("task", async (task) => {
      pool.free(await take(pool, task));
      expect(figures()).toEqual([3, 3, 0, 0]);
      memory.isEmpty = true;
      const held = [await take(pool, task), await take(pool, task)];
      expect(figures()).toEqual([1, 1, 2, 0]);
      for (const element of held) pool.free(element);
      expect(figures()).toEqual([3, 1, 2, 0]);
      const all = [await take(pool, task), await take(pool, task), await take(pool, task)];
      expect(await pool.alloc(GFP_NOWAIT, task)).toBeNull();
      expect(figures()).toEqual([0, 0, 5, 0]);
      const late = pool.alloc(GFP_NOIO, task);
      expect(pool.waits).toBe(1);
      for (const element of all) pool.free(element);
      pool.free(await late);
      // The sleeper had the memory of whoever came first: from the reserve as well.
      expect(figures()).toEqual([3, 0, 6, 1]);
    });
    pool.destroy();
    expect([...memory.reserves]).toEqual([]);
  });

  it("and what is live are together never less than was promised, whatever happens", async () => {
    const steps = fc.array(fc.constantFrom("alloc", "free", "memory comes", "memory goes"));
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), steps, async (minNr, story) => {
        const { pool, memory, scheduler } = poolOf(minNr);
        const held: Element[] = [];
        await scheduler.perform("task", async (task) => {
          for (const step of story) {
            if (step === "alloc") {
              const element = await pool.alloc(GFP_NOWAIT, task);
              if (element === null) expect([memory.isEmpty, pool.currNr]).toEqual([true, 0]);
              else expect(held).not.toContain(element);
              if (element !== null) held.push(element);
            } else if (step === "free") pool.free(held.shift() ?? null);
            else memory.isEmpty = step === "memory goes";
            expect(pool.liveCount).toBe(held.length);
            expect(pool.currNr).toBeLessThanOrEqual(minNr);
            expect(pool.liveCount + pool.currNr).toBeGreaterThanOrEqual(minNr);
          }
        });
      }),
    );
  });

  it("may give its last element to who cannot wait", async () => {
    const { pool, memory, scheduler } = poolOf(1);
    memory.isEmpty = true;
    await scheduler.perform("task", async (task) => {
      expect(await pool.alloc(GFP_ATOMIC, task)).not.toBeNull();
    });
    expect(pool.currNr).toBe(0);
  });

  it("that cannot be filled is not made, and leaves nothing behind", async () => {
    const scheduler = new VirtualScheduler();
    const memory = new TestMemory();
    const options = { scheduler, label: "pool", allocator: memory, minNr: 4 };
    memory.left = 3;
    expect(() => new Mempool(options)).toThrow(OutOfMemoryError);
    expect(memory.frees).toBe(3);
    memory.left = 3;
    await scheduler.perform("task", async (task) => {
      expect(await Mempool.create(options, task)).toBeNull();
      expect(memory.frees).toBe(6);
      memory.left = 4;
      const pool = await Mempool.create(options, task);
      expect(pool?.currNr).toBe(4);
    });
    expect(memory.masks.at(-1)).toBe(GFP_KERNEL);
  });
});

describe("the attempts that an allocation makes", () => {
  it("are one without waiting, then one with all that the caller allows (T3.3)", async () => {
    const { pool, memory, scheduler } = poolOf(1);
    memory.isEmpty = true;
    const masksOf = async (gfp: number): Promise<string[]> => {
      const from = memory.masks.length;
      scheduler.spawn(gfpName(gfp), async (task) => {
        await pool.alloc(gfp, task);
      });
      await scheduler.run();
      return memory.masks.slice(from).map((mask) => gfpName(mask & ~POOL_BITS));
    };
    const holder = await scheduler.perform("holder", (task) => take(pool, task));
    memory.masks.length = 0;
    expect(await masksOf(GFP_NOWAIT)).toEqual(["NOWAIT"]);
    expect(memory.masks).toEqual([POOL_BITS]);
    expect(await masksOf(GFP_NOIO)).toEqual(["NOWAIT", "NOIO"]);
    expect(await masksOf(GFP_NOFS)).toEqual(["NOWAIT", "NOFS"]);
    expect(await masksOf(GFP_KERNEL)).toEqual(["FS", "KERNEL"]);
    expect(await masksOf(GfpBit.Io)).toEqual(["NOWAIT", "IO"]);
    expect(scheduler.sleepers().length).toBe(3);
    pool.free(holder);
  });

  it("ask for no more than the scopes of the task leave", async () => {
    const { pool, memory, scheduler } = poolOf(1);
    await scheduler.perform("task", async (task) => {
      memory.isEmpty = true;
      await take(pool, task);
      task.gfpScope = 1;
      await pool.alloc(GFP_KERNEL & ~GfpBit.Wait, task);
      task.gfpScope = 0;
    });
    expect(memory.masks.map((mask) => mask & ~POOL_BITS)).toEqual([0, 0]);
  });

  it("end with memory that can only be had by waiting for it", async () => {
    const { pool, memory, scheduler } = poolOf(1);
    memory.needsWait = true;
    scheduler.spawn("task", async (task) => {
      await take(pool, task);
      await pool.alloc(GFP_NOIO, task);
    });
    await scheduler.advance(1);
    expect(pool.liveCount).toBe(2);
  });

  it("may not wait in an endIo or under a spinlock, even when there is no need (MP-9)", async () => {
    const { pool, scheduler } = poolOf(1);
    await scheduler.perform("task", (task) => {
      task.atomicDepth = 1;
      expect(() => pool.alloc(GFP_NOIO, task)).toThrow(SleepInAtomicError);
      expect(pool.alloc(GFP_NOWAIT, task)).not.toBeNull();
      task.atomicDepth = 0;
    });
  });
});

describe("a sleeper", () => {
  it("gets the element that is given back at 1700 ms, then, and not at 6000 (T3.4)", async () => {
    const { pool, memory, scheduler } = poolOf(1);
    memory.isEmpty = true;
    const held = await scheduler.perform("holder", (task) => take(pool, task));
    let gotAtMs = 0;
    scheduler.spawn("A", async (task) => {
      await pool.alloc(GFP_NOIO, task);
      gotAtMs = scheduler.clock.nowMs();
    });
    await scheduler.advance(700);
    expect(pool.blockers()).toEqual([held]);
    expect(scheduler.sleepers()[0]?.waitingFor?.blockers()).toEqual([held]);
    pool.free(held);
    await scheduler.run();
    expect(gotAtMs).toBe(1700);
  });

  it("asks memory again after 5 s when nothing is given back (T3.4)", async () => {
    const { pool, memory, scheduler } = poolOf(1);
    memory.isEmpty = true;
    await scheduler.perform("holder", (task) => take(pool, task));
    let gotAtMs = 0;
    scheduler.spawn("A", async (task) => {
      await pool.alloc(GFP_NOIO, task);
      gotAtMs = scheduler.clock.nowMs();
    });
    await scheduler.advance(3000);
    memory.isEmpty = false;
    await scheduler.advance(1999);
    expect(gotAtMs).toBe(0);
    await scheduler.advance(1);
    expect(gotAtMs).toBe(6000);
  });

  it("of two gets the one element, the other the next (T3.5)", async () => {
    const { pool, memory, scheduler } = poolOf(1);
    memory.isEmpty = true;
    const held = await scheduler.perform("A", (task) => take(pool, task));
    const got: string[] = [];
    for (const name of ["B", "C"]) {
      scheduler.spawn(name, async (task) => {
        await pool.alloc(GFP_NOIO, task);
        got.push(name);
      });
    }
    await scheduler.run();
    pool.free(held);
    await scheduler.run();
    expect(got.length).toBe(1);
    expect(scheduler.sleepers().length).toBe(1);
    pool.free(held);
    await scheduler.run();
    expect(got.slice().sort()).toEqual(["B", "C"]);
    expect(scheduler.clock.nowMs()).toBe(1000);
  });

  it("that finds memory instead of the element it was woken for passes the wake-up on", async () => {
    const { pool, memory, scheduler } = poolOf(1);
    memory.isEmpty = true;
    const held = await scheduler.perform("holder", (task) => take(pool, task));
    let got = 0;
    for (const name of ["A", "B"]) {
      scheduler.spawn(name, async (task) => {
        await pool.alloc(GFP_NOIO, task);
        got += 1;
      });
    }
    await scheduler.run();
    memory.isEmpty = false;
    memory.left = 1;
    pool.free(held);
    await scheduler.run();
    expect(got).toBe(2);
    expect(scheduler.clock.nowMs()).toBe(1000);
  });

  it("is not stranded when a newcomer takes what it was woken for", async () => {
    const { pool, memory, scheduler } = poolOf(1);
    memory.isEmpty = true;
    const held = await scheduler.perform("holder", (task) => take(pool, task));
    let got = false;
    scheduler.spawn("A", async (task) => {
      await pool.alloc(GFP_NOIO, task);
      got = true;
    });
    await scheduler.run();
    const newcomer = scheduler.spawn("newcomer", () => undefined);
    pool.free(held);
    const stolen = await pool.alloc(GFP_NOWAIT, newcomer);
    await scheduler.run();
    expect([stolen, got]).toEqual([held, false]);
    pool.free(stolen);
    await scheduler.run();
    expect(got).toBe(true);
  });
});

describe("a pool that changes its size", () => {
  it("is filled by later frees when memory fails, and gives back what is too much (T3.6)", async () => {
    const { pool, memory, scheduler } = poolOf(2);
    await scheduler.perform("task", async (task) => {
      const live = [await take(pool, task), await take(pool, task)];
      memory.isEmpty = true;
      await pool.resize(4, task);
      expect([pool.minNr, pool.currNr]).toEqual([4, 2]);
      for (const element of live) pool.free(element);
      expect([pool.currNr, memory.frees]).toEqual([4, 0]);
      await pool.resize(1, task);
      expect([pool.minNr, pool.currNr, memory.frees]).toEqual([1, 1, 3]);
    });
  });

  it("takes what it needs from memory when there is some, and wakes who sleeps", async () => {
    const { pool, memory, scheduler } = poolOf(1);
    memory.isEmpty = true;
    await scheduler.perform("holder", (task) => take(pool, task));
    let got = false;
    scheduler.spawn("sleeper", async (task) => {
      await pool.alloc(GFP_NOIO, task);
      got = true;
    });
    await scheduler.run();
    memory.isEmpty = false;
    memory.left = 1;
    await scheduler.perform("grower", (task) => pool.resize(2, task));
    expect(got).toBe(true);
    expect(scheduler.clock.nowMs()).toBe(1000);
  });

  it("without a reserve is refused", async () => {
    const { pool, scheduler } = poolOf(1);
    await scheduler.perform("task", (task) => {
      expect(() => pool.resize(0, task)).toThrow("without a reserve");
    });
  });
});

describe("the end of a pool", () => {
  it("gives the reserve back", () => {
    const { pool, memory, scheduler } = poolOf(3);
    pool.destroy();
    expect(memory.frees).toBe(3);
    expect(scheduler.warnings).toEqual([]);
  });

  it("with elements in use is warned of, and their coming back is a use after free", async () => {
    const { pool, scheduler } = poolOf(1);
    const held = await scheduler.perform("task", (task) => take(pool, task));
    pool.destroy();
    expect(scheduler.warnings).toEqual(["pool is destroyed with 1 of its elements in use"]);
    expect(() => {
      pool.free(held);
    }).toThrow("use after free: pool");
  });

  it("is not reached by an element that comes back twice", async () => {
    const { pool, scheduler } = poolOf(1);
    const held = await scheduler.perform("task", (task) => take(pool, task));
    pool.free(held);
    expect(() => {
      pool.free(held);
    }).toThrow("double free: pool");
  });
});

describe("without exploration", () => {
  it("an allocation that finds memory is no promise, and nobody is tracked", async () => {
    const { pool, scheduler } = poolOf(1, new VirtualScheduler({ isExploring: false }));
    await scheduler.perform("task", (task) => {
      expect(pool.alloc(GFP_NOIO, task)).not.toBeInstanceOf(Promise);
    });
    expect(pool.liveCount).toBe(1);
    expect(pool.blockers()).toEqual([]);
  });
});
