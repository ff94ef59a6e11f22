import { Bio, BioOp, createVecs, opName } from "@blkstack/bio";
import { DeviceMapper, TargetRegistry } from "@blkstack/device-mapper";
import { RamDisk } from "@blkstack/disk-ram";
import { delay } from "@blkstack/dm-delay";
import { MakeRequest } from "@blkstack/make-request";
import { Memory } from "@blkstack/memory";
import { VirtualScheduler } from "@blkstack/task/virtual";

const scheduler = new VirtualScheduler({ startMs: 0 });
const submitter = new MakeRequest();
const disk = new RamDisk({ name: "disk", sizeSectors: 100, scheduler });
const dm = new DeviceMapper({
  scheduler,
  submitter,
  memory: new Memory({ scheduler }),
  registry: new TargetRegistry([delay]),
  lookup: () => disk,
});

function send(op: BioOp): void {
  const bio = new Bio();
  bio.device = dm.get("slow");
  bio.op = op;
  bio.vecs = createVecs(1);
  bio.vecMax = 1;
  bio.addPage({ bytes: new Uint8Array(512), frame: 0 }, 512, 0);
  bio.endIo = () => {
    console.log(`${opName(op)} after ${String(scheduler.clock.nowMs())} ms`);
  };
  scheduler.spawn("sender", (task) => submitter.submitBio(bio, task));
}

// Reads take 10 ms, writes and flushes 250 ms.
await scheduler.perform("example", async (task) => {
  await dm.create("slow", task, { table: "0 100 delay disk 0 10 disk 0 250" });
});
send(BioOp.Write);
send(BioOp.Read);
await scheduler.run();
console.log(dm.status("slow").join());
await scheduler.advance(1000);
