import { Bio, bioEndio, BioOp, createVecs, statusName } from "@blkstack/bio";
import { type BlockDevice, defaultLimits, RequestQueue } from "@blkstack/block";
import { DeviceMapper, TargetRegistry } from "@blkstack/device-mapper";
import { bounce } from "@blkstack/dm-bounce";
import { MakeRequest } from "@blkstack/make-request";
import { Memory } from "@blkstack/memory";
import { VirtualScheduler } from "@blkstack/task/virtual";

const raw: BlockDevice = {
  name: "raw",
  sizeSectors: 2048,
  isReadOnly: false,
  queue: new RequestQueue("raw", defaultLimits()), // asks for multiples of 512 bytes
  submitBio(bio) {
    const pieces = bio.vecs.slice(0, bio.vecCount);
    console.log(`raw gets ${pieces.map((vec) => `${String(vec.length)} bytes`).join(", ")}`);
    bioEndio(bio);
  },
};

const scheduler = new VirtualScheduler();
const submitter = new MakeRequest();
const dm = new DeviceMapper({
  scheduler,
  submitter,
  memory: new Memory({ scheduler }),
  registry: new TargetRegistry([bounce]),
  lookup: () => raw,
});

await scheduler.perform("example", async (task) => {
  await dm.create("md", task, { table: "0 2048 bounce raw 0 2 pool 8" });
  const bio = new Bio();
  bio.device = dm.get("md");
  bio.op = BioOp.Write;
  bio.vecs = createVecs(2);
  bio.vecMax = 2;
  const memory = { bytes: new Uint8Array(8192), frame: 0 };
  bio.addPage(memory, 100, 3);
  bio.addPage(memory, 4508, 600);
  bio.endIo = ({ status }) => {
    console.log(statusName(status));
  };
  await submitter.submitBio(bio, task);
  console.log(dm.status("md")[0]);
});
