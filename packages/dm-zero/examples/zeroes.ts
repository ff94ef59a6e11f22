import { Bio, BioOp, createVecs, statusName } from "@blkstack/bio";
import { BlockError } from "@blkstack/block";
import { DeviceMapper, TargetRegistry } from "@blkstack/device-mapper";
import { zero } from "@blkstack/dm-zero";
import { MakeRequest } from "@blkstack/make-request";
import { Memory } from "@blkstack/memory";
import { VirtualScheduler } from "@blkstack/task/virtual";

const scheduler = new VirtualScheduler();
const submitter = new MakeRequest();
const dm = new DeviceMapper({
  scheduler,
  submitter,
  memory: new Memory({ scheduler }),
  registry: new TargetRegistry([zero]),
  lookup(name) {
    throw new BlockError("BLK_DEVICE", "ENODEV", `no "${name}"`);
  },
});

await scheduler.perform("example", async (task) => {
  await dm.create("md", task, { table: "0 100 zero" });
  const page = { bytes: new Uint8Array(512).fill(7), frame: 0 };
  const bio = new Bio();
  bio.device = dm.get("md");
  bio.op = BioOp.Read;
  bio.sector = 90;
  bio.vecs = createVecs(1);
  bio.vecMax = 1;
  bio.addPage(page, 512, 0);
  bio.endIo = ({ status }) => {
    console.log(`${statusName(status)}, first byte ${String(page.bytes[0])}`);
  };
  await submitter.submitBio(bio, task);
});
