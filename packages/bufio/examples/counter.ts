import { BufioCaches, BufioClient } from "@blkstack/bufio";
import { RamDisk } from "@blkstack/disk-ram";
import { MakeRequest, SplitSetPerDevice } from "@blkstack/make-request";
import { allFail, Memory } from "@blkstack/memory";
import type { Task } from "@blkstack/task";
import { EventLoopScheduler } from "@blkstack/task/node";

const scheduler = new EventLoopScheduler();
const memory = new Memory({ scheduler });
const submitter = new MakeRequest({ split: new SplitSetPerDevice({ scheduler, memory }) });
const disk = new RamDisk({ name: "disk", sizeSectors: 16_384, scheduler });
const caches = new BufioCaches(scheduler, { cacheBytes: 1024 * 1024 });

const blocks = new BufioClient({
  name: "metadata",
  scheduler,
  memory,
  submitter,
  caches,
  device: disk,
  blockBytes: 4096,
});

/** Adds one to the first byte of a block. */
async function increment(block: number, task: Task): Promise<void> {
  const held = await blocks.read(block, task);
  if (typeof held === "number") throw new Error(`block ${String(block)} cannot be read`);
  held.data[0] = (held.data[0] ?? 0) + 1;
  blocks.markDirty(held, 0, 1);
  blocks.release(held, task);
}

scheduler.spawn("example", async (task) => {
  for (let turn = 0; turn < 3; turn += 1) await increment(7, task);
  await blocks.writeDirty(task);
  const { hits, misses, reads, writes } = blocks.counters;
  console.log(
    `${String(hits)} hits, ${String(misses)} misses, ${String(reads)} reads, ${String(writes)} writes`,
  );

  // Nothing more to be had: from here on one buffer is enough.
  memory.faultPlan = allFail;
  for (let block = 0; block < 100; block += 1) await increment(block, task);
  await blocks.destroy(task);
  const first = new Uint8Array(1);
  for (const block of [6, 7, 8]) {
    disk.peek(block * 8, first);
    console.log(`block ${String(block)}: ${String(first[0])}`);
  }
});
await scheduler.idle();
