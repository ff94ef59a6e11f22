import { Bio, BioOp, createVecs, statusName } from "@blkstack/bio";
import { DeviceMapper, TargetRegistry } from "@blkstack/device-mapper";
import { RamDisk } from "@blkstack/disk-ram";
import { flakey } from "@blkstack/dm-flakey";
import { MakeRequest } from "@blkstack/make-request";
import { Memory } from "@blkstack/memory";
import { VirtualScheduler } from "@blkstack/task/virtual";

const scheduler = new VirtualScheduler();
const submitter = new MakeRequest();
const disk = new RamDisk({ name: "disk", sizeSectors: 100, scheduler });
const dm = new DeviceMapper({
  scheduler,
  submitter,
  memory: new Memory({ scheduler }),
  registry: new TargetRegistry([flakey]),
  lookup: () => disk,
});

// Two seconds up, one second down; then writes fail, and reads still work.
await scheduler.perform("example", async (task) => {
  await dm.create("md", task, { table: "0 100 flakey disk 0 2 1 1 error_writes" });
});
for (let second = 0; second < 6; second += 1) {
  const bio = new Bio();
  bio.device = dm.get("md");
  bio.op = BioOp.Write;
  bio.vecs = createVecs(1);
  bio.vecMax = 1;
  bio.addPage({ bytes: new Uint8Array(512), frame: 0 }, 512, 0);
  bio.endIo = ({ status }) => {
    console.log(`second ${String(second)}: ${statusName(status)}`);
  };
  scheduler.spawn("sender", (task) => submitter.submitBio(bio, task));
  await scheduler.advance(1000);
}
