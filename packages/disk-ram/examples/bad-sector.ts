import { Bio, BioOp, BioStatus, createVecs, statusName } from "@blkstack/bio";
import { failSectors, RamDisk } from "@blkstack/disk-ram";
import { MakeRequest, submitAndWait } from "@blkstack/make-request";
import { EventLoopScheduler } from "@blkstack/task/node";

const scheduler = new EventLoopScheduler();
const submitter = new MakeRequest();
const disk = new RamDisk({ name: "ram0", sizeSectors: 2 ** 28, scheduler });
const page = { bytes: new Uint8Array(4096), frame: 0 };

function bioOf(op: BioOp, sector: number): Bio {
  const bio = new Bio(null, null, createVecs(1));
  bio.vecs = bio.inlineVecs;
  bio.vecMax = 1;
  bio.addPage(page, page.bytes.length, 0);
  bio.op = op;
  bio.device = disk;
  bio.sector = sector;
  return bio;
}

scheduler.spawn("reader", async (task) => {
  const run = async (bio: Bio): Promise<void> => {
    const status = await submitAndWait(submitter, bio, task);
    console.log(`${bio.toString()}: ${statusName(status)}`);
  };
  page.bytes.fill(7);
  await run(bioOf(BioOp.Write, 200_000_000));
  page.bytes.fill(0);
  await run(bioOf(BioOp.Read, 200_000_000));
  console.log(`read back: ${String(page.bytes[0])}`);
  console.log(`memory taken: ${String(disk.allocatedBytes / 1024)} KiB of 128 GiB`);
  disk.faults = failSectors({ startSector: 5, sizeSectors: 1, status: BioStatus.Medium });
  await run(bioOf(BioOp.Read, 0));
});
await scheduler.idle();
