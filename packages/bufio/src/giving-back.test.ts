import { BioStatus } from "@blkstack/bio";
import { GFP_KERNEL, GFP_NOFS, GFP_NOIO, type Shrinker, SHRINK_STOP } from "@blkstack/memory";
import type { Awaitable, Task } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { fillOf, readBlock, Setting, type SettingOptions, stamp } from "../test/setting.ts";
import {
  type BufioClient,
  type BufioClientOptions,
  type CachedBlock,
  fsFlag,
  ioFlag,
  type ShrinkerGeneration,
  trylockAlways,
  workQueue,
} from "./index.ts";

let scheduler: VirtualScheduler;
let setting: Setting;

beforeEach(() => {
  scheduler = new VirtualScheduler();
});

function perform<T>(body: (task: Task) => Awaitable<T>): Promise<T> {
  return scheduler.perform("t", body);
}

function set(options: SettingOptions, client: Partial<BufioClientOptions> = {}): BufioClient {
  setting = new Setting(scheduler, options);
  return setting.client(client);
}

function shrinker(): Shrinker {
  const [only] = setting.memory.shrinkers;
  if (only === undefined) throw new Error("no shrinker is registered");
  return only;
}

const bytes = (buffers: number): number => buffers * 4096;

describe("a client that is asked for memory", () => {
  const held: CachedBlock[] = [];

  /** 50 blocks that are clean and idle, 10 held, 40 dirty. */
  async function hundred(generation: ShrinkerGeneration): Promise<BufioClient> {
    const client = set({ caches: { retainBytes: 0 } }, { shrinker: generation });
    await perform(async (task) => {
      held.length = 0;
      for (let block = 0; block < 40; block += 1) await stamp(client, block, 1, task);
      for (let block = 40; block < 50; block += 1) held.push(await readBlock(client, block, task));
      for (let block = 50; block < 100; block += 1) await fillOf(client, block, task);
    });
    return client;
  }

  it.each([fsFlag, trylockAlways])(
    "by one who may not enter a filesystem gives what is clean and idle ($name)",
    async (generation) => {
      const client = await hundred(generation);
      expect(await perform((task) => shrinker().scan(100, GFP_NOFS, task))).toBe(50);
      expect(client.counters).toMatchObject({ buffers: 50, dirtyBuffers: 40, writes: 0 });
      expect(client.counters).toMatchObject({ shrinksAsked: 1, shrinksPromised: 50 });
    },
  );

  it.each([
    [ioFlag, GFP_NOFS],
    [fsFlag, GFP_KERNEL],
    [trylockAlways, GFP_KERNEL],
  ] as const)(
    "by one who may wait for I/O writes what is dirty ($name)",
    async (generation, gfp) => {
      const client = await hundred(generation);
      expect(await perform((task) => shrinker().scan(100, gfp, task))).toBe(90);
      expect(client.counters).toMatchObject({ buffers: 10, dirtyBuffers: 0, writes: 40 });
    },
  );

  it("promises it, and has a worker keep the promise (workqueue)", async () => {
    const client = await hundred(workQueue);
    let countAfter = -1;
    const promised = await perform((task) => {
      const answer = shrinker().scan(100, GFP_NOIO, task);
      expect(client.counters.buffers).toBe(100);
      countAfter = shrinker().count(GFP_NOIO, task) as number;
      return answer;
    });
    expect(promised).toBe(100);
    // What is promised is not promised again.
    expect(countAfter).toBe(0);
    expect(client.counters).toMatchObject({ buffers: 10, dirtyBuffers: 0 });
    expect(setting.onDisk(39)).toBe(1);
  });

  it.each([ioFlag, fsFlag, trylockAlways, workQueue])(
    "keeps what it is to retain, however much is asked for ($name)",
    async (generation) => {
      const client = set({ caches: { retainBytes: bytes(10) } }, { shrinker: generation });
      await perform(async (task) => {
        for (let block = 0; block < 15; block += 1) await fillOf(client, block, task);
        await shrinker().scan(12, GFP_KERNEL, task);
      });
      expect(client.counters.buffers).toBe(10);
    },
  );

  it.each([trylockAlways, workQueue])(
    "says that it has nothing while it has no more than that ($name)",
    async (generation) => {
      const client = set({}, { shrinker: generation });
      await perform(async (task) => {
        for (let block = 0; block < 64; block += 1) await fillOf(client, block, task);
        expect(shrinker().count(GFP_KERNEL, task)).toBe(0);
        await fillOf(client, 64, task);
        expect(shrinker().count(GFP_KERNEL, task)).toBe(1);
      });
    },
  );

  it.each([
    [ioFlag, GFP_NOIO],
    [fsFlag, GFP_NOFS],
    [trylockAlways, GFP_KERNEL],
  ] as const)("while somebody has its lock makes nobody wait ($name)", async (generation, gfp) => {
    scheduler = new VirtualScheduler({ interrupts: "queued" });
    const client = set(
      { caches: { cacheBytes: 4096, retainBytes: 0 } },
      { shrinker: generation, minimumBuffers: 1 },
    );
    // To make room for block 1 it writes block 0, and keeps the lock until that is written.
    scheduler.spawn("writer", async (task) => {
      await stamp(client, 0, 1, task);
      await stamp(client, 1, 1, task);
    });
    await scheduler.runTasks();
    expect(scheduler.pendingInterrupts).toHaveLength(1);
    const answers: Awaitable<number>[] = [];
    scheduler.spawn("short", (task) => {
      answers.push(shrinker().scan(1, gfp, task));
    });
    await scheduler.runTasks();
    expect(answers).toEqual([SHRINK_STOP]);
    await scheduler.run();
  });

  it("gives allocators of the same memory what they lack", async () => {
    const client = set({ memory: { pages: { totalPages: 128 } }, caches: { retainBytes: 0 } });
    await perform(async (task) => {
      for (let block = 0; block < 200; block += 1) await stamp(client, block, block, task);
      expect(client.counters.buffers).toBeLessThanOrEqual(128);
      expect(await setting.memory.takePages(100, GFP_NOFS, task, "somebody")).toBe(true);
      expect(client.counters.buffers).toBeLessThanOrEqual(28);
      for (let block = 0; block < 200; block += 1) {
        expect(await fillOf(client, block, task)).toBe(block);
      }
    });
  });
});

describe("the limit", () => {
  it("is kept by evicting what was not used for longest", async () => {
    const client = set({ caches: { cacheBytes: bytes(10) } });
    await perform(async (task) => {
      for (let block = 0; block < 10; block += 1) await fillOf(client, block, task);
      await fillOf(client, 0, task);
      await fillOf(client, 10, task);
      expect(client.counters).toMatchObject({ buffers: 10, evictions: 1 });
      setting.watching.seen.length = 0;
      await fillOf(client, 0, task);
      await fillOf(client, 1, task);
    });
    expect(setting.watching.seen).toEqual(["READ 1"]);
  });

  it("is kept when much more is written than it holds", async () => {
    const client = set({ caches: { cacheBytes: bytes(16) } });
    await perform(async (task) => {
      for (let block = 0; block < 500; block += 1) await stamp(client, block, block, task);
      expect(client.counters.buffers).toBeLessThanOrEqual(16);
      expect(client.counters.peakBytes).toBeLessThanOrEqual(bytes(16 + 2));
      await client.writeDirty(task);
    });
    for (let block = 0; block < 500; block += 1) expect(setting.onDisk(block)).toBe(block % 256);
  });

  it("has what is dirty written before all of it is", async () => {
    const client = set({ caches: { cacheBytes: bytes(16) } });
    await perform(async (task) => {
      for (let block = 0; block < 12; block += 1) await stamp(client, block, 1, task);
      expect(setting.watching.seen).toEqual([]);
      await stamp(client, 12, 1, task);
    });
    await scheduler.run();
    expect(setting.watching.seen).toHaveLength(13);
  });

  it("has what is dirty written also when no block is new", async () => {
    const client = set({ caches: { cacheBytes: bytes(16) } });
    await perform(async (task) => {
      for (let block = 0; block < 16; block += 1) await fillOf(client, block, task);
      setting.watching.seen.length = 0;
      for (let block = 0; block < 16; block += 1) await stamp(client, block, 1, task);
      expect(client.counters.misses).toBe(16);
    });
    expect(setting.watching.seen).toHaveLength(16);
  });

  it("is shared evenly, and who comes makes the others smaller", async () => {
    const client = set({ caches: { cacheBytes: bytes(64) } });
    await perform(async (task) => {
      for (let block = 0; block < 64; block += 1) await stamp(client, block, 1, task);
    });
    const others = [1, 2, 3].map((index) => setting.client({ name: `c${String(index)}` }));
    await scheduler.run();
    expect(client.maximumBuffers).toBe(16);
    expect(client.counters.buffers).toBe(16);
    await perform(async (task) => {
      for (const other of others) await other.destroy(task);
    });
    expect(client.maximumBuffers).toBe(64);
  });

  it("is no less than the minimum", () => {
    const client = set({ caches: { cacheBytes: 1 } }, { minimumBuffers: 5 });
    expect(client.maximumBuffers).toBe(5);
    client.minimumBuffers = 7;
    expect(client.maximumBuffers).toBe(7);
  });
});

describe("a block that is old", () => {
  const caches = { maxAgeMs: 60_000, retainBytes: bytes(4) };

  it("is given back, without I/O, but for those that are retained", async () => {
    const client = set({ caches });
    await perform(async (task) => {
      for (let block = 0; block < 20; block += 1) await fillOf(client, block, task);
      await stamp(client, 20, 1, task);
    });
    await scheduler.advance(59_000);
    expect(client.counters.buffers).toBe(21);
    await scheduler.advance(60_000);
    expect(client.counters).toMatchObject({ buffers: 4, dirtyBuffers: 1, writes: 0 });
  });

  it("is kept when it was used since", async () => {
    const client = set({ caches });
    await perform(async (task) => {
      for (let block = 0; block < 20; block += 1) await fillOf(client, block, task);
    });
    await scheduler.advance(59_000);
    await perform(async (task) => {
      await fillOf(client, 100, task);
      for (let block = 10; block < 20; block += 1) await fillOf(client, block, task);
    });
    await scheduler.advance(40_000);
    expect(client.counters.buffers).toBe(11);
  });

  it("has nothing tick while there is nothing to age", async () => {
    const client = set({ caches });
    await perform((task) => fillOf(client, 0, task));
    const startTimer = vi.spyOn(scheduler, "startTimer");
    await scheduler.advance(1_000_000);
    expect(startTimer).not.toHaveBeenCalled();
  });
});

describe("statistics", () => {
  it("count what was asked for, and what came of it", async () => {
    const client = set({});
    await perform(async (task) => {
      await fillOf(client, 0, task);
      await fillOf(client, 0, task);
      await stamp(client, 1, 1, task);
      expect(await client.writeDirty(task)).toBe(BioStatus.Ok);
      expect(client.counters).toMatchObject({
        hits: 1,
        misses: 2,
        reads: 1,
        writes: 1,
        flushes: 1,
        buffers: 2,
        currentBytes: bytes(3),
      });
    });
    setting.caches.resetPeak();
    expect(setting.caches.peakBytes).toBe(bytes(3));
  });
});
