import { Bio, BioOp, statusName } from "@blkstack/bio";
import { BlockError } from "@blkstack/block";
import { DeviceMapper, TargetRegistry } from "@blkstack/device-mapper";
import { error } from "@blkstack/dm-error";
import { MakeRequest } from "@blkstack/make-request";
import { Memory } from "@blkstack/memory";
import { VirtualScheduler } from "@blkstack/task/virtual";

const scheduler = new VirtualScheduler();
const submitter = new MakeRequest();
const dm = new DeviceMapper({
  scheduler,
  submitter,
  memory: new Memory({ scheduler }),
  registry: new TargetRegistry([error]),
  lookup(name) {
    throw new BlockError("BLK_DEVICE", "ENODEV", `no "${name}"`);
  },
});

await scheduler.perform("example", async (task) => {
  await dm.create("md", task, { table: "0 100 error" });
  console.log(`md is ${dm.get("md").deviceNumber}`);

  const bio = new Bio();
  bio.device = dm.get("md");
  bio.op = BioOp.Read;
  bio.sector = 90;
  bio.sizeBytes = 20 * 512;
  bio.endIo = ({ status }) => {
    console.log(`the read: ${statusName(status)}`);
  };
  await submitter.submitBio(bio, task);
});
