import { Bio, BioOp, createVecs } from "@blkstack/bio";
import { DeviceMapper, TargetRegistry } from "@blkstack/device-mapper";
import { RamDisk } from "@blkstack/disk-ram";
import { throttle } from "@blkstack/dm-throttle";
import { MakeRequest } from "@blkstack/make-request";
import { Memory } from "@blkstack/memory";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { Throttle } from "@blkstack/throttle";

const scheduler = new VirtualScheduler({ startMs: 0 });
const memory = new Memory({ scheduler });
const submitter = new MakeRequest();
const groups = new Throttle({ scheduler, memory, submitter });
groups.addGroup("tenant", { limits: { riops: 10 } });
const disk = new RamDisk({ name: "disk", sizeSectors: 200, scheduler });
const registry = new TargetRegistry([throttle]);
const services = [groups];
const lookup = (): RamDisk => disk;
const dm = new DeviceMapper({ scheduler, submitter, memory, registry, lookup, services });

await scheduler.perform("example", async (task) => {
  await dm.create("left", task, { table: "0 100 throttle disk 0 tenant" });
  await dm.create("right", task, { table: "0 100 throttle disk 100 tenant" });
});
for (const name of ["left", "right", "left", "right"]) {
  const bio = new Bio();
  bio.device = dm.get(name);
  bio.op = BioOp.Read;
  bio.vecs = createVecs(1);
  bio.vecMax = 1;
  bio.addPage({ bytes: new Uint8Array(512), frame: 0 }, 512, 0);
  bio.endIo = () => {
    console.log(`${name} after ${String(scheduler.clock.nowMs())} ms`);
  };
  scheduler.spawn("reader", (task) => submitter.submitBio(bio, task));
  await scheduler.run();
}
await scheduler.advance(300);
const words = ["max", "riops=max"];
console.log(await scheduler.perform("admin", (task) => dm.message("left", 0, words, task)));
await scheduler.advance(1000);
console.log(dm.status("right").join());
