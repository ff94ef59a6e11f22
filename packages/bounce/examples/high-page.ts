import { Bio, bioEndio, BioOp, createVecs, PAGE_BYTES } from "@blkstack/bio";
import { Bounce, BouncePages, FAILABLE, framesUpTo, standInSet } from "@blkstack/bounce";
import { allFail, Memory, PageAllocator } from "@blkstack/memory";
import { VirtualScheduler } from "@blkstack/task/virtual";

const scheduler = new VirtualScheduler();
const memory = new Memory({ scheduler });
const source = new PageAllocator({ memory, limitPages: 100, label: "low pages" });
const pages = new BouncePages({ scheduler, label: "bounce pages", source, reserve: 2 });
const bios = standInSet({ name: "bounce", scheduler, memory });
const bounce = new Bounce({ reach: framesUpTo(999), pages, bios });
memory.faultPlan = allFail; // from here on there are only the reserves

/** A read of `count` pages, which all lie too high. */
function read(count: number): Bio {
  const bio = new Bio();
  bio.op = BioOp.Read;
  bio.vecs = createVecs(count);
  bio.vecMax = count;
  for (let frame = 5000; bio.vecCount < count; frame += 1) {
    bio.addPage({ bytes: new Uint8Array(PAGE_BYTES), frame }, PAGE_BYTES, 0);
  }
  bio.endIo = () => {
    console.log(`the read ends, and frame 5000 has a ${String(bio.vecs[0]?.page.bytes[0])}`);
  };
  return bio;
}

await scheduler.perform("reader", async (task) => {
  const standIn = await bounce.bounce(read(2), FAILABLE, task);
  console.log(`2 pages: ${String(pages.pool.currNr)} left in reserve`);
  const none = await bounce.bounce(read(1), FAILABLE, task);
  console.log(none === null ? "1 page more: no memory" : "1 page more");
  for (const { page } of standIn?.vecs ?? []) page.bytes.fill(7); // the device reads
  if (standIn !== null) bioEndio(standIn);
  console.log(`${String(pages.pool.currNr)} in reserve`);
});
