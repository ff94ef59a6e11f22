import { Bio, BioFlag, BioOp, createVecs, opName } from "@blkstack/bio";
import { BlockError } from "@blkstack/block";
import { DeviceMapper, TargetRegistry } from "@blkstack/device-mapper";
import { RamDisk } from "@blkstack/disk-ram";
import { cache } from "@blkstack/dm-cache";
import { MakeRequest, SplitSetPerDevice, submitAndWait } from "@blkstack/make-request";
import { Memory } from "@blkstack/memory";
import type { Task } from "@blkstack/task";
import { EventLoopScheduler } from "@blkstack/task/node";

const scheduler = new EventLoopScheduler();
const memory = new Memory({ scheduler });
const submitter = new MakeRequest({ split: new SplitSetPerDevice({ scheduler, memory }) });
const disk = new RamDisk({
  name: "disk",
  sizeSectors: 16_384,
  scheduler,
  hasVolatileCache: true,
  faults: {
    statusOf(bio) {
      const what = bio.sizeBytes === 0 ? "FLUSH" : `${opName(bio.op)} ${String(bio.sector)}`;
      console.log(`  disk: ${what}`);
      return 0;
    },
  },
});
const dm = new DeviceMapper({
  scheduler,
  submitter,
  memory,
  registry: new TargetRegistry([cache]),
  lookup(name) {
    if (name === disk.name) return disk;
    throw new BlockError("BLK_DEVICE", "ENODEV", `no "${name}"`);
  },
});

async function send(op: BioOp, sector: number, bytes: number, task: Task): Promise<void> {
  console.log(bytes === 0 ? "flush" : `${opName(op).toLowerCase()} ${String(sector)}`);
  const bio = new Bio();
  bio.device = dm.get("fast");
  bio.op = op;
  bio.sector = sector;
  bio.vecs = createVecs(1);
  bio.vecMax = 1;
  if (bytes > 0) bio.addPage({ bytes: new Uint8Array(bytes), frame: 0 }, bytes, 0);
  else bio.flags = BioFlag.Preflush;
  await submitAndWait(submitter, bio, task);
}

scheduler.spawn("example", async (task) => {
  // Blocks of 4 KiB, 1000 of them.
  await dm.create("fast", task, { table: "0 16384 cache disk 4096 1000" });
  await send(BioOp.Read, 80, 4096, task);
  await send(BioOp.Read, 84, 2048, task);
  await send(BioOp.Write, 80, 4096, task);
  await send(BioOp.Write, 160, 4096, task);
  await send(BioOp.Write, 0, 0, task);
  console.log(dm.status("fast").join("\n"));
  await dm.remove("fast", task);
});
await scheduler.idle();
