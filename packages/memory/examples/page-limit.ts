import { GFP_KERNEL, GFP_NOIO, GFP_NOWAIT, Memory, PageAllocator } from "@blkstack/memory";
import { VirtualScheduler } from "@blkstack/task/virtual";

const scheduler = new VirtualScheduler();
const memory = new Memory({ scheduler });
const pages = new PageAllocator({ memory, limitPages: 4, label: "request pages" });

scheduler.spawn("reader", async (task) => {
  const four = await pages.alloc(GFP_KERNEL, task, 4);
  console.log(`reader has ${String(four?.bytes.length)} bytes`);
  const refused = pages.tryAlloc(GFP_NOWAIT) === null;
  console.log(`one more without waiting: ${refused ? "no" : "yes"}`);
  await scheduler.sleep(task, pages, 30);
  if (four !== null) pages.free(four);
});
scheduler.spawn("writer", async (task) => {
  const two = await pages.alloc(GFP_NOIO, task, 2);
  console.log(
    `writer has ${String(two?.bytes.length)} bytes at ${String(scheduler.clock.nowMs())} ms`,
  );
});
await scheduler.advance(1000);
console.log(`${String(pages.freePages)} of ${String(pages.limitPages)} pages free`);
