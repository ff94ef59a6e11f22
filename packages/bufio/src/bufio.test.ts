import { BioOp, BioStatus, InvariantError } from "@blkstack/bio";
import { allFail } from "@blkstack/memory";
import { isPending, type Task } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { beforeEach, describe, expect, it } from "vitest";
import { fillOf, readBlock, Setting, stamp } from "../test/setting.ts";
import type { BufioClient, CachedBlock } from "./index.ts";

let scheduler: VirtualScheduler;
let setting: Setting;

beforeEach(() => {
  scheduler = new VirtualScheduler();
  setting = new Setting(scheduler);
});

function perform<T>(body: (task: Task) => Promise<T>): Promise<T> {
  return scheduler.perform("t", body);
}

function letGo(client: BufioClient, block: CachedBlock | null, task: Task): void {
  if (block === null) throw new Error("there is no such block");
  client.release(block, task);
}

describe("a block", () => {
  it("that is written, dropped and read again has the same bytes", async () => {
    const client = setting.client();
    await perform(async (task) => {
      await stamp(client, 5, 0x5a, task);
      expect(await client.writeDirty(task)).toBe(BioStatus.Ok);
      expect(setting.watching.seen).toEqual(["WRITE 5", "FLUSH"]);
      expect(client.forget(5)).toBe(true);
      expect(await fillOf(client, 5, task)).toBe(0x5a);
    });
    expect(setting.watching.seen).toEqual(["WRITE 5", "FLUSH", "READ 5"]);
  });

  it("that is there is had without waiting, and without asking the disk", async () => {
    const client = setting.client();
    await perform(async (task) => {
      await fillOf(client, 1, task);
      const again = client.read(1, task);
      expect(isPending(again)).toBe(false);
      client.release(again as CachedBlock, task);
      const got = client.get(1, task);
      expect(got).not.toBeNull();
      letGo(client, got, task);
    });
    expect(setting.watching.seen).toEqual(["READ 1"]);
    expect(client.counters).toMatchObject({ hits: 2, misses: 1, reads: 1 });
  });

  it("that two ask for at a time is read once, and both have the same", async () => {
    const client = setting.client();
    setting.putOnDisk(7, 0x77);
    const had: CachedBlock[] = [];
    for (const name of ["one", "two"]) {
      scheduler.spawn(name, async (task) => {
        had.push(await readBlock(client, 7, task));
      });
    }
    await scheduler.run();
    expect(had).toHaveLength(2);
    expect(had[0]).toBe(had[1]);
    expect(had[0]?.data[0]).toBe(0x77);
    expect(setting.watching.seen).toEqual(["READ 7"]);
    const holds = (had[0] as unknown as { holds: number }).holds;
    expect(holds).toBe(2);
  });

  it("that is being read cannot be got, and can when it is there", async () => {
    scheduler = new VirtualScheduler({ interrupts: "queued" });
    setting = new Setting(scheduler);
    const client = setting.client();
    let task!: Task;
    scheduler.spawn("reader", async (self) => {
      task = self;
      client.release(await readBlock(client, 7, self), self);
    });
    await scheduler.runTasks();
    expect(client.get(7, task)).toBeNull();
    scheduler.completeInterrupt(0);
    const got = client.get(7, task);
    expect(got?.block).toBe(7);
    letGo(client, got, task);
    await scheduler.run();
  });

  it("that is new is not read", async () => {
    const client = setting.client();
    await perform((task) => stamp(client, 3, 1, task));
    expect(setting.watching.seen).toEqual([]);
  });

  it("that cannot be read is not kept: the next one to ask has it read again", async () => {
    const client = setting.client();
    setting.watching.fails.set(BioOp.Read, BioStatus.Medium);
    await perform(async (task) => {
      expect(await client.read(2, task)).toBe(BioStatus.Medium);
      expect(client.counters.buffers).toBe(0);
      setting.watching.fails.clear();
      expect(await fillOf(client, 2, task)).toBe(0);
    });
  });

  it("is written in part when part of it was changed, in whole pages", async () => {
    const client = setting.client({ blockBytes: 16_384 });
    await perform(async (task) => {
      const buffer = await readBlock(client, 1, task);
      buffer.data.fill(9);
      client.markDirty(buffer, 5000, 5001);
      client.markDirty(buffer, 9000, 9001);
      client.release(buffer, task);
      await client.writeDirty(task);
    });
    // Blocks of the disk are a quarter of the client's: 4 would be its first page.
    expect([4, 5, 6, 7].map((page) => setting.onDisk(page))).toEqual([0, 9, 9, 0]);
    expect(setting.watching.seen).toEqual(["READ 4", "WRITE 5", "FLUSH"]);
  });

  it("that is changed while it is written is written once more, and never twice at a time", async () => {
    scheduler = new VirtualScheduler({ interrupts: "queued" });
    setting = new Setting(scheduler);
    const client = setting.client();
    scheduler.spawn("writer", async (task) => {
      await stamp(client, 4, 1, task);
      await client.writeDirtyAsync(task);
      await stamp(client, 4, 2, task);
      await client.writeDirty(task);
    });
    await scheduler.runTasks();
    expect(setting.watching.seen).toEqual(["WRITE 4"]);
    scheduler.completeInterrupt(0);
    await scheduler.runTasks();
    expect(setting.watching.seen).toEqual(["WRITE 4", "WRITE 4"]);
    await scheduler.run();
    expect(setting.onDisk(4)).toBe(2);
  });
});

describe("a write that fails", () => {
  it("is told once, by the first who asks for all to be written", async () => {
    const client = setting.client();
    await perform(async (task) => {
      await stamp(client, 5, 1, task);
      setting.watching.fails.set(BioOp.Write, BioStatus.Medium);
      await client.writeDirtyAsync(task);
      setting.watching.fails.set(BioOp.Write, BioStatus.NoSpace);
      await stamp(client, 6, 1, task);
      await client.writeDirtyAsync(task);
      setting.watching.fails.clear();
      expect(await client.writeDirty(task)).toBe(BioStatus.Medium);
      expect(await client.writeDirty(task)).toBe(BioStatus.Ok);
    });
  });

  it("leaves the block clean, and to be dropped when the last user lets go of it", async () => {
    const client = setting.client();
    await perform(async (task) => {
      await stamp(client, 5, 1, task);
      const buffer = await readBlock(client, 5, task);
      setting.watching.fails.set(BioOp.Write, BioStatus.IoError);
      expect(await client.writeDirty(task)).toBe(BioStatus.IoError);
      expect(buffer.isDirty).toBe(false);
      expect(client.counters).toMatchObject({ buffers: 1, dirtyBuffers: 0 });
      client.release(buffer, task);
      expect(client.counters.buffers).toBe(0);
    });
  });

  it("is not told of the flush, which is told if all else went well", async () => {
    const client = setting.client();
    await perform(async (task) => {
      setting.watching.fails.set(BioOp.Write, BioStatus.Timeout);
      expect(await client.writeDirty(task)).toBe(BioStatus.Timeout);
    });
  });
});

describe("a client without memory", () => {
  it("gives one task the only buffer that another lets go of", async () => {
    const client = setting.client({ reservedBuffers: 1 });
    setting.memory.faultPlan = allFail;
    const order: string[] = [];
    let first!: CachedBlock;
    const holder = scheduler.spawn("one", async (task) => {
      first = await readBlock(client, 0, task);
      order.push("one has 0");
    });
    scheduler.spawn("two", async (task) => {
      const buffer = await readBlock(client, 1, task);
      order.push("two has 1");
      client.release(buffer, task);
    });
    await scheduler.run();
    expect(order).toEqual(["one has 0"]);
    client.release(first, holder);
    await scheduler.run();
    expect(order).toEqual(["one has 0", "two has 1"]);
    expect(client.get(0, holder)).toBeNull();
  });

  it("has the buffer of a dropped block for the next one", async () => {
    const client = setting.client({ reservedBuffers: 1 });
    setting.memory.faultPlan = allFail;
    await perform(async (task) => {
      for (let block = 0; block < 3; block += 1) {
        await fillOf(client, block, task);
        expect(client.forget(block)).toBe(true);
      }
    });
    expect(setting.watching.seen).toEqual(["READ 0", "READ 1", "READ 2"]);
  });

  it("writes a dirty block to have its buffer", async () => {
    const client = setting.client({ reservedBuffers: 1 });
    setting.memory.faultPlan = allFail;
    await perform(async (task) => {
      await stamp(client, 0, 7, task);
      expect(await fillOf(client, 1, task)).toBe(0);
    });
    expect(setting.watching.seen).toEqual(["WRITE 0", "READ 1"]);
    expect(setting.onDisk(0)).toBe(7);
  });

  it("prefetches nothing, and does not wait", async () => {
    const client = setting.client({ reservedBuffers: 1 });
    setting.memory.faultPlan = allFail;
    await perform((task) => client.prefetch(0, 4, task));
    expect(setting.watching.seen).toEqual([]);
  });

  it("and without a reserve has its block once there is memory again", async () => {
    const client = setting.client({ reservedBuffers: 0 });
    setting.memory.faultPlan = allFail;
    let fill = -1;
    scheduler.spawn("t", async (task) => {
      fill = await fillOf(client, 0, task);
    });
    await scheduler.run();
    setting.memory.faultPlan = null;
    await scheduler.advance(4999);
    expect(fill).toBe(-1);
    await scheduler.advance(1);
    expect(fill).toBe(0);
  });

  it("cannot be had with a reserve", () => {
    setting.memory.faultPlan = allFail;
    expect(() => setting.client()).toThrow("there is no memory for 1 buffers");
  });
});

describe("inside a driver call", () => {
  const calls: Record<string, (task: Task) => unknown> = {
    read: (task) => setting.client().read(0, task),
    new: (task) => setting.client().new(0, task),
    prefetch: (task) => setting.client().prefetch(0, 1, task),
    writeDirty: (task) => setting.client().writeDirty(task),
    writeDirtyAsync: (task) => setting.client().writeDirtyAsync(task),
    issueFlush: (task) => setting.client().issueFlush(task),
  };

  it.each(Object.keys(calls))("%s is refused", async (name) => {
    await perform(async (task) => {
      task.bioLists = task.ownBioLists;
      try {
        await expect(Promise.resolve(task).then((self) => calls[name]?.(self))).rejects.toThrow(
          InvariantError,
        );
      } finally {
        task.bioLists = null;
      }
    });
  });

  it("a block can be got", async () => {
    const client = setting.client();
    await perform(async (task) => {
      await fillOf(client, 0, task);
      task.bioLists = task.ownBioLists;
      const got = client.get(0, task);
      task.bioLists = null;
      expect(got?.block).toBe(0);
    });
  });
});

describe("a user who does what is not his to do", () => {
  it("is told: to make dirty or let go of what is not held", async () => {
    const client = setting.client();
    await perform(async (task) => {
      const buffer = await readBlock(client, 0, task);
      client.release(buffer, task);
      expect(() => {
        client.release(buffer, task);
      }).toThrow('block 0 of bufio "c" is released that nobody holds');
      expect(() => {
        client.markDirty(buffer);
      }).toThrow("made dirty that nobody holds");
      client.forget(0);
      expect(() => {
        client.release(buffer, task);
      }).toThrow("that it does not have");
    });
  });

  it("is told: of a block that he still holds when the client goes", async () => {
    const client = setting.client();
    await expect(
      perform(async (task) => {
        await readBlock(client, 3, task);
        await client.destroy(task);
      }),
    ).rejects.toThrow('block 3 of bufio "c" is leaked');
  });

  it("is told: of blocks that the device has not", () => {
    expect(() => setting.client({ blockBytes: 1000 })).toThrow("give a multiple of 512");
    setting.disk.queue.limits = {
      ...setting.disk.queue.limits,
      logicalBlockBytes: 4096,
      physicalBlockBytes: 4096,
    };
    expect(() => setting.client({ blockBytes: 2048 })).toThrow("give a multiple of 4096");
  });
});

describe("a held block", () => {
  it("is neither dropped nor evicted", async () => {
    setting = new Setting(scheduler, { caches: { cacheBytes: 4096, maxAgeMs: Infinity } });
    const client = setting.client({ minimumBuffers: 1 });
    await perform(async (task) => {
      const held = await readBlock(client, 0, task);
      expect(client.forget(0)).toBe(false);
      for (let block = 1; block < 10; block += 1) await fillOf(client, block, task);
      expect(client.get(0, task)).toBe(held);
      client.release(held, task);
      client.release(held, task);
    });
  });

  it("that is dirty is dropped by nobody", async () => {
    const client = setting.client();
    await perform((task) => stamp(client, 0, 1, task));
    expect(client.forget(0)).toBe(false);
  });
});

describe("when a client goes", () => {
  it("what was dirty is on the disk, and all memory is given back", async () => {
    const client = setting.client({ reservedBuffers: 3 });
    await perform(async (task) => {
      for (let block = 0; block < 20; block += 1) await stamp(client, block, block + 1, task);
      await client.prefetch(30, 4, task);
      expect(setting.caches.currentBytes).toBe((20 + 4 + 3) * 4096);
      expect(await client.destroy(task)).toBe(BioStatus.Ok);
    });
    expect(setting.onDisk(19)).toBe(20);
    expect(setting.caches.currentBytes).toBe(0);
    expect(setting.caches.clients).toBe(0);
    expect(setting.watching.seen.at(-1)).toBe("FLUSH");
  });

  it("an error of its last writes is answered", async () => {
    const client = setting.client();
    await perform(async (task) => {
      await stamp(client, 0, 1, task);
      setting.watching.fails.set(BioOp.Write, BioStatus.NoSpace);
      expect(await client.destroy(task)).toBe(BioStatus.NoSpace);
    });
  });
});
