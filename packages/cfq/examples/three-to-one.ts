import { Bio, bioEndio, BioList } from "@blkstack/bio";
import { type BlockDevice, defaultLimits, RequestQueue } from "@blkstack/block";
import { CfqQueue } from "@blkstack/cfq";
import { MakeRequest, submitAndWait } from "@blkstack/make-request";
import { Memory, PerCpuAllocator } from "@blkstack/memory";
import { Timer } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";

const scheduler = new VirtualScheduler();
const memory = new Memory({ scheduler });
const statsMemory = new PerCpuAllocator({ memory });
const submitter = new MakeRequest();

// A disk that needs a millisecond for each bio.
const waiting = new BioList();
const head = new Timer(scheduler, "a bio is served", () => {
  const bio = waiting.pop();
  if (!waiting.isEmpty) head.arm(1);
  if (bio !== null) bioEndio(bio);
});
const device: BlockDevice = {
  name: "disk",
  sizeSectors: 2048,
  isReadOnly: false,
  queue: new RequestQueue("disk", defaultLimits()),
  submitBio(bio) {
    waiting.add(bio);
    if (!head.isArmed) head.arm(1);
  },
};

const parts = { device, scheduler, memory, statsMemory, submitter };
const queue = await scheduler.perform("setup", (task) =>
  CfqQueue.create({ name: "disk", ...parts }, task),
);
queue.setWeight("backup", 100);
queue.setWeight("shop", 300);
for (const group of ["backup", "shop"]) {
  const client = queue.openClient({ name: `disk of ${group}`, group });
  scheduler.spawn(group, async (task) => {
    for (;;) {
      const bio = new Bio();
      bio.device = client;
      bio.vecs = [{ page: { bytes: new Uint8Array(512), frame: 0 }, offset: 0, length: 512 }];
      bio.sizeBytes = 512;
      await submitAndWait(submitter, bio, task);
    }
  });
}
await scheduler.advance(10_000);
for (const group of ["backup", "shop"]) {
  const done = await scheduler.perform("look", (task) => queue.statisticsOf(group, task));
  const [time, bios] = [String(done?.time), String(done?.serviced)];
  console.log(`${group}: ${time} ms of the disk's time, ${bios} bios`);
}
