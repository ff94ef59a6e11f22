import { type Bio, bioEndio, BioOp, PAGE_BYTES, statusName } from "@blkstack/bio";
import { Request, RequestMapper, type SgList } from "@blkstack/blk-map";
import { type BlockDevice, defaultLimits, deviceOf, RequestQueue } from "@blkstack/block";
import { GFP_KERNEL, Memory, PageAllocator } from "@blkstack/memory";
import { VirtualScheduler } from "@blkstack/task/virtual";

const queue = new RequestQueue("sda", { ...defaultLimits(), maxSegments: 2 });
const sda: BlockDevice = {
  name: "sda",
  sizeSectors: 2048,
  isReadOnly: false,
  queue,
  submitBio(bio: Bio) {
    console.log(`  ${bio.toString()} in ${String(bio.vecCount)} vector(s)`);
    bioEndio(bio);
  },
};

const scheduler = new VirtualScheduler();
const memory = new Memory({ scheduler });
const pages = new PageAllocator({ memory, limitPages: 100, label: "copies" });
const mapper = new RequestMapper({ memory, pages });

/** Our memory: `count` pages, and where the data begins in each. */
function memoryOf(count: number, offset: number): SgList {
  return Array.from({ length: count }, (_, index) => ({
    page: { bytes: new Uint8Array(2 * PAGE_BYTES), frame: 4 * index },
    offset,
    length: PAGE_BYTES,
  }));
}

await scheduler.perform("writer", async (task) => {
  for (const list of [memoryOf(2, 0), memoryOf(2, 3), memoryOf(3, 0)]) {
    const request = new Request(sda, BioOp.Write, 64);
    const errno = await mapper.mapKernSg(request, list, GFP_KERNEL, task);
    const how = request.copy === null ? "as it lies" : "by a copy";
    console.log(errno === 0 ? `mapped ${how}` : `not mapped: ${String(errno)}`);
    if (errno !== 0) continue;
    const status = await request.execute(
      { submitBio: (bio, by) => deviceOf(bio).submitBio(bio, by) },
      task,
    );
    console.log(`written: ${statusName(status)}, ${String(pages.usedPages)} pages in use`);
  }
});
