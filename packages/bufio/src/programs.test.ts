import { BioStatus } from "@blkstack/bio";
import type { Task } from "@blkstack/task";
import { EventLoopScheduler } from "@blkstack/task/node";
import { beforeEach, describe, expect, it } from "vitest";
import { BLOCK_BYTES, fillOf, Setting, stamp } from "../test/setting.ts";
import type { BufioClient } from "./index.ts";

const USERS = 16;
const BLOCKS = 1024;

let scheduler: EventLoopScheduler;
let setting: Setting;

/** What users of a client do who work for real, on the event loop, beside each other. */
beforeEach(() => {
  scheduler = new EventLoopScheduler();
  setting = new Setting(scheduler, { caches: { cacheBytes: 256 * BLOCK_BYTES } });
});

/** Has every user do the same, each with blocks of its own. */
async function together(
  users: number,
  body: (first: number, end: number, task: Task) => Promise<void>,
): Promise<void> {
  const each = BLOCKS / users;
  await Promise.all(
    Array.from({ length: users }, (_, index) =>
      inTask(`user ${String(index)}`, (task) => body(index * each, (index + 1) * each, task)),
    ),
  );
}

function inTask<T>(name: string, body: (task: Task) => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    scheduler.spawn(name, (task) => body(task).then(resolve, reject));
  });
}

/** Stamps blocks, has them written and forgotten, and looks whether they are there again. */
async function stampAll(
  client: BufioClient,
  first: number,
  end: number,
  task: Task,
): Promise<void> {
  for (let block = first; block < end; block += 1) await stamp(client, block, block % 251, task);
  expect(await client.writeDirty(task)).toBe(BioStatus.Ok);
  client.forgetBlocks(first, end);
  for (let block = first; block < end; block += 1) {
    expect(await fillOf(client, block, task)).toBe(block % 251);
  }
}

describe("for real", () => {
  it.each([1, USERS])("%i users stamp their blocks, and find their stamps", async (users) => {
    const client = setting.client();
    await together(users, (first, end, task) => stampAll(client, first, end, task));
    await inTask("end", (task) => client.destroy(task));
    expect(setting.caches.currentBytes).toBe(0);
  });

  it("16 users have new blocks and let go of them, and the disk hears nothing", async () => {
    const client = setting.client();
    await together(USERS, async (first, end, task) => {
      for (let block = first; block < end; block += 1) {
        const held = await client.new(block, task);
        if (typeof held !== "number") client.release(held, task);
      }
    });
    expect(client.counters).toMatchObject({ misses: BLOCKS, reads: 0, writes: 0, buffers: 256 });
  });

  it("to have nothing written writes nothing", async () => {
    const client = setting.client();
    await inTask("user", async (task) => {
      for (let block = 0; block < 100; block += 1) await fillOf(client, block, task);
      await client.writeDirty(task);
    });
    expect(client.counters).toMatchObject({ reads: 100, writes: 0, flushes: 1 });
  });

  it.each(["sync", "async"])("what is written (%s) survives the client", async (how) => {
    const client = setting.client();
    await inTask("user", async (task) => {
      for (let block = 0; block < 100; block += 1) await stamp(client, block, block + 1, task);
      if (how === "sync") await client.writeDirty(task);
      else await client.writeDirtyAsync(task).then(() => client.issueFlush(task));
    });
    for (let block = 0; block < 100; block += 1) expect(setting.onDisk(block)).toBe(block + 1);
  });

  it("far more is written than there is memory for, again and again", async () => {
    const client = setting.client();
    for (let round = 1; round <= 4; round += 1) {
      await together(USERS, async (first, end, task) => {
        for (let block = first; block < end; block += 1) await stamp(client, block, round, task);
      });
    }
    await inTask("user", (task) => client.writeDirty(task));
    expect(client.counters.peakBytes).toBeLessThanOrEqual((256 + USERS + 1) * BLOCK_BYTES);
    for (let block = 0; block < BLOCKS; block += 1) expect(setting.onDisk(block)).toBe(4);
  });

  it("what is used all the time stays, whatever is written in the background", async () => {
    const client = setting.client();
    await inTask("hot", async (task) => {
      for (let block = 0; block < 40; block += 1) await fillOf(client, block, task);
      const { misses } = client.counters;
      for (let block = 40; block < BLOCKS; block += 1) {
        await stamp(client, block, 1, task);
        for (let hot = block % 10; hot < 40; hot += 10) await fillOf(client, hot, task);
      }
      expect(client.counters.misses - misses).toBe(BLOCKS - 40);
    });
  });

  it("four clients share the limit, and each finds its stamps", async () => {
    const clients = [0, 1, 2, 3].map((index) => setting.client({ name: `c${String(index)}` }));
    await together(clients.length, async (first, end, task) => {
      const client = clients[first / (BLOCKS / clients.length)];
      if (client !== undefined) await stampAll(client, first, end, task);
    });
    const limit = (256 + 2 * clients.length) * BLOCK_BYTES;
    expect(setting.caches.peakBytes).toBeLessThanOrEqual(limit);
  });
});
