import { type Allocator, Mempool } from "@blkstack/mempool";
import { GFP_NOIO, GFP_NOWAIT } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";

interface Buffer {
  readonly name: string;
}
let left = 1;
const memory: Allocator<Buffer> = {
  tryAlloc: () => (left-- > 0 ? { name: "the last buffer" } : null),
  alloc: () => null,
  free: () => undefined,
};

const scheduler = new VirtualScheduler();
const pool = new Mempool({ scheduler, label: "buffers", allocator: memory, minNr: 1 });

scheduler.spawn("writer", async (task) => {
  const buffer = await pool.alloc(GFP_NOIO, task);
  console.log(`writer has ${buffer?.name ?? "nothing"}`);
  await scheduler.sleep(task, pool, 700);
  pool.free(buffer);
});
scheduler.spawn("hasty", async (task) => {
  console.log(`hasty has ${(await pool.alloc(GFP_NOWAIT, task))?.name ?? "nothing"}`);
});
scheduler.spawn("patient", async (task) => {
  const buffer = await pool.alloc(GFP_NOIO, task);
  console.log(`patient has ${buffer?.name ?? "nothing"} at ${String(scheduler.clock.nowMs())} ms`);
  pool.free(buffer);
});
await scheduler.advance(10_000);
