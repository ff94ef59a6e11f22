import { BioStatus } from "@blkstack/bio";
import { failSectors, RamDisk } from "@blkstack/disk-ram";
import { type CopyListener, KcopydClient } from "@blkstack/kcopyd";
import { MakeRequest, SplitSetPerDevice } from "@blkstack/make-request";
import { allFail, Memory, PageAllocator } from "@blkstack/memory";
import { EventLoopScheduler } from "@blkstack/task/node";

const scheduler = new EventLoopScheduler();
const memory = new Memory({ scheduler });
const pages = new PageAllocator({ memory, limitPages: 256, label: "pages" });
const submitter = new MakeRequest({ split: new SplitSetPerDevice({ scheduler, memory }) });

const faults = failSectors({ startSector: 9000, sizeSectors: 1, status: BioStatus.Medium });
const origin = new RamDisk({ name: "origin", sizeSectors: 16_384, scheduler, faults });
const mirrors = ["left", "right"].map(
  (name) => new RamDisk({ name, sizeSectors: 16_384, scheduler }),
);
origin.poke(0, new TextEncoder().encode("the first sector"));

const copier = new KcopydClient({ name: "mirror", scheduler, memory, pages, submitter });
// Nothing more to be had: what follows lives on the reserves.
memory.faultPlan = allFail;

scheduler.spawn("mirror", async (task) => {
  for (const sector of [0, 8192]) {
    const listener: CopyListener = {
      copyEnded(readErrors, writeErrors) {
        const outcome = readErrors === 0 ? "read" : "not read";
        console.log(
          `from sector ${String(sector)}: ${outcome}, ${String(writeErrors)} lost mirrors`,
        );
      },
    };
    const source = { device: origin, sector, sectors: 8192 };
    const destinations = mirrors.map((device) => ({ device, sector, sectors: 8192 }));
    await copier.copy({ source, destinations }, listener, task);
  }
  await copier.destroy(task);
  const bytes = new Uint8Array(16);
  mirrors[1]?.peek(0, bytes);
  console.log(`right begins with "${new TextDecoder().decode(bytes)}"`);
});
await scheduler.idle();
